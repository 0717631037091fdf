/**
 * What a result had to cut, whole, for clients that come back for it: in memory alone, for a while,
 * and never more than a bound. The address is a secret of whoever was given it.
 */

const PREFIX = 'keypool://results/';
export const KEPT_MINUTES = 30;
const KEPT_MS = KEPT_MINUTES * 60_000;
/** All texts together, in characters. A larger one is kept alone. */
const MOST_CHARS = 16_000_000;

interface Kept {
  readonly text: string;
  /** Monotonic milliseconds. */
  readonly until: number;
}

export class KeptResults {
  readonly #kept = new Map<string, Kept>();
  #chars = 0;

  /** @returns the address of the resource */
  keep(text: string): string {
    this.#forget(performance.now());
    // The global one: node:crypto takes a tenth of the start, and most results are never kept.
    const random = crypto.getRandomValues(Buffer.alloc(12));
    const uri = `${PREFIX}${random.toString('base64url')}`;
    this.#kept.set(uri, { text, until: performance.now() + KEPT_MS });
    this.#chars += text.length;
    // The oldest make room.
    for (const oldest of this.#kept.keys()) {
      if (this.#chars <= MOST_CHARS || this.#kept.size === 1) break;
      this.#drop(oldest);
    }
    return uri;
  }

  /** @returns null for an address that was never given, or whose time is over */
  read(uri: string): string | null {
    this.#forget(performance.now());
    return this.#kept.get(uri)?.text ?? null;
  }

  #forget(now: number): void {
    for (const [uri, { until }] of this.#kept) if (until <= now) this.#drop(uri);
  }

  #drop(uri: string): void {
    this.#chars -= this.#kept.get(uri)?.text.length ?? 0;
    this.#kept.delete(uri);
  }
}
