/** Waiting for a lock that stands: whose it is, whether he lives, and taking it away if not. */

import { lstat, mkdir, rmdir, unlink } from 'node:fs/promises';
import { DiskError } from '../base/errors.ts';
import { systemCode } from '../base/system/system-error.ts';
import { writeFailure } from './failures.ts';
import { fateOf, type LockHolder, parseHolder } from './lock-holder.ts';
import { readWholeFile } from './read-file.ts';

/** Five heartbeats missed, seen by somebody who was awake for all of them. */
const SILENT_MS = 5_000;
/** Between creating the lock and writing into it, and while a claim is held, lie few calls. */
const UNFINISHED_MS = 2_000;
/** A turn that took longer than this was slept through: no more of it counts as watching. */
const LONGEST_TURN_MS = 250;
/** A lock is a line; anything larger is another file. */
const MAX_LOCK_BYTES = 4_096;

/** What stands at the lock's path: text and time of one look, or why there is no looking. */
type Look =
  | { readonly kind: 'free' }
  | { readonly kind: 'hidden' }
  | { readonly kind: 'lock'; readonly text: string; readonly beat: string };

function noLock(lock: string, what: string): DiskError {
  return new DiskError('locked', `${lock} is ${what}, not a lock of this program`, {
    hint: `look at it, then remove it: it stands where a lock has to be`,
  });
}

/** @throws DiskError locked for what cannot be a lock: a link, a folder, a pipe, a large file */
async function look(lock: string): Promise<Look> {
  try {
    if ((await lstat(lock)).isSymbolicLink()) throw noLock(lock, 'a link');
    const { bytes, info } = await readWholeFile(lock, MAX_LOCK_BYTES);
    return { kind: 'lock', text: bytes.toString('utf8'), beat: `${info.mtimeMs} ${info.ino}` };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { kind: 'free' };
    if (!(error instanceof DiskError)) return { kind: 'hidden' };
    if (error.code === 'missing') return { kind: 'free' };
    if (error.code === 'not_a_file' || error.code === 'too_large') {
      throw noLock(lock, error.code === 'too_large' ? 'a large file' : 'no file');
    }
    if (error.code === 'locked') throw error;
    return { kind: 'hidden' };
  }
}

/** How long something has been watched without a change, as far as the watcher was awake. */
class Stillness {
  #seen: string | null = null;
  #at = performance.now();
  #ms = 0;
  #changes = 0;

  /** @returns milliseconds without a change */
  see(what: string): number {
    const now = performance.now();
    const turnMs = Math.min(now - this.#at, LONGEST_TURN_MS);
    this.#at = now;
    if (what === this.#seen) this.#ms += turnMs;
    else {
      if (this.#seen !== null) this.#changes++;
      this.#seen = what;
      this.#ms = 0;
    }
    return this.#ms;
  }

  get hasChanged(): boolean {
    return this.#changes > 0;
  }
}

/** The lock's text now; null when there is none that can be read. */
export async function lockText(lock: string): Promise<string | null> {
  const found = await look(lock).catch(() => null);
  return found?.kind === 'lock' ? found.text : null;
}

/** Waits for one lock. Every turn ends in a sleep, whatever was found. */
export class LockWaiter {
  readonly #lock: string;
  readonly #own: LockHolder;
  readonly #isHeldHere: (text: string) => boolean;
  readonly #holder = new Stillness();
  readonly #claim = new Stillness();

  constructor(lock: string, own: LockHolder, isHeldHere: (text: string) => boolean) {
    this.#lock = lock;
    this.#own = own;
    this.#isHeldHere = isHeldHere;
  }

  /** @returns true when the lock has to be waited for; false when it was or will be free */
  async turn(): Promise<{ readonly isHeld: boolean; readonly holder: LockHolder | null }> {
    const found = await look(this.#lock);
    if (found.kind === 'free') return { isHeld: false, holder: null };
    if (found.kind === 'hidden') return { isHeld: true, holder: null };
    const { text, beat } = found;
    const stillMs = this.#holder.see(`${text} ${beat}`);
    const holder = parseHolder(text);
    if (holder === null) {
      if (stillMs < UNFINISHED_MS) return { isHeld: false, holder };
      // Only what looks like the beginning of a lock is one that was never finished.
      if (text !== '' && !text.startsWith('{"pid":')) throw noLock(this.#lock, 'another file');
      await this.#retire(text);
      return { isHeld: false, holder };
    }
    const fate = this.#isHeldHere(text) ? 'alive' : fateOf(holder, this.#own);
    if (fate === 'dead' || (fate === 'unknown' && stillMs >= SILENT_MS)) {
      await this.#retire(text);
      return { isHeld: false, holder };
    }
    // One that cannot be asked is watched until it has shown a heartbeat, or missed too many.
    return { isHeld: fate === 'alive' || this.#holder.hasChanged, holder };
  }

  /**
   * Takes a dead holder's lock away. Of several who see it dead one makes the claim, a folder
   * (which every file system makes for one alone); without it the second would take away the
   * first one's new lock.
   */
  async #retire(text: string): Promise<void> {
    const claim = `${this.#lock}.retire`;
    try {
      await mkdir(claim);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw writeFailure(claim, error);
      const info = await lstat(claim).catch(() => null);
      if (this.#claim.see(`${info?.ino} ${info?.mtimeMs}`) >= UNFINISHED_MS) {
        await rmdir(claim).catch(() => {});
      }
      return;
    }
    try {
      if ((await lockText(this.#lock)) === text) await unlink(this.#lock);
    } catch (error) {
      throw writeFailure(this.#lock, error);
    } finally {
      await rmdir(claim).catch(() => {});
    }
  }
}
