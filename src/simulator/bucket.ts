/** Perplexity's leaky bucket: requests per time, one for each kind of endpoint and account. */

export interface BucketSettings {
  /** Requests that drain in a second. */
  readonly perSecond: number;
  /** Requests at once after a rest. */
  readonly burst: number;
}

export class Bucket {
  #level = 0;
  #at = 0;

  /** True when so many units had room, and took it. */
  take(units: number, { perSecond, burst }: BucketSettings, now: number): boolean {
    const drained = ((now - this.#at) / 1000) * perSecond;
    const level = Math.max(0, this.#level - drained);
    this.#at = now;
    const hasRoom = level + units <= burst;
    this.#level = hasRoom ? level + units : level;
    return hasRoom;
  }

  /** The headers that tell of it, as they were captured; the reset is when it will be empty. */
  headers({ perSecond, burst }: BucketSettings, wallNow: number): Record<string, string> {
    const used = Math.ceil(this.#level);
    return {
      'x-ratelimit-limit': String(burst),
      'x-ratelimit-remaining': String(Math.max(0, Math.floor(burst - this.#level))),
      'x-ratelimit-used': String(used),
      'x-ratelimit-reset': String(Math.ceil(wallNow / 1000 + this.#level / perSecond)),
    };
  }
}
