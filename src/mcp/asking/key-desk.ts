/** What the composition root gives a server so that a call can ask for the key that it lacks. */

import type { Provider } from '../../base/errors.ts';

/** A page on this machine that takes keys of one provider, once, for a while. */
export interface KeyPage {
  /** Not a secret; tells one page from the next. */
  readonly id: string;
  /** Whoever has it may put keys in, and nothing else. For the client alone: never in a log. */
  readonly url: string;
  /** Milliseconds, by `performance.now()`. */
  readonly openedAt: number;
  /** Resolves with true when a key is in force, with false when the page or the signal is over. */
  wait(signal: AbortSignal): Promise<boolean>;
  /** The person does not want to. Closes the page, unless another call waits for it. */
  refuse(): void;
}

export interface KeyDesk {
  /** Whole call, the time for the person included. Milliseconds. */
  readonly callTimeoutMs: number;
  /**
   * The page for a provider's key: one, for however many calls.
   *
   * @returns null where a key could not be stored, or where nobody before this machine would see it
   */
  open(provider: Provider): Promise<KeyPage | null>;
  /** The next step for whoever adds a first key by hand, in sentences. */
  advice(provider: Provider, missing: Exclude<MissingKey, 'usable_key'>): Promise<string>;
}

/** `store`: there is none yet. `key`: none is configured. `usable_key`: none that is can serve. */
export type MissingKey = 'store' | 'key' | 'usable_key';
