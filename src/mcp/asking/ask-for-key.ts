/**
 * A call that finds no key asks for one: its client leads the person to a page on this machine, and
 * the call waits for what is put in there. The key itself never passes the protocol.
 */

import {
  KeyStoreError,
  PoolExhaustedError,
  PROVIDER_NAMES,
  type Provider,
} from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { KeyDesk, KeyPage, MissingKey } from './key-desk.ts';

/**
 * How the client took it. `silent`: it never said anything. A question is for the protocols in
 * which a call is answered with one, and made again.
 */
export type Led<Question> = 'opened' | 'refused' | 'silent' | { readonly question: Question };

/** Whoever sits before the client of this call. */
export interface Person<Question> {
  /** Rejects, or resolves with anything, when the signal fires. */
  lead(page: KeyPage, message: string, signal: AbortSignal): Promise<Led<Question>>;
  /** The key is there; nothing is left to do on the page. */
  finished(page: KeyPage): void;
}

/** `waiting`: the page is open yet, and the call's time is over. */
export type AskOutcome<Question> = 'taken' | 'no' | 'waiting' | { readonly question: Question };

export interface Asking<Question> {
  readonly desk: KeyDesk;
  readonly person: Person<Question>;
  readonly tool: string;
  readonly provider: Provider;
  readonly missing: MissingKey;
  readonly signal: AbortSignal;
  /** Of the call's time, in milliseconds. */
  readonly leftMs: number;
  readonly logger: Logger;
}

/** Nobody reads and decides in less; a client without a window for it answers by itself. */
const FASTEST_PERSON_MS = 300;

const KEYLESS: Partial<Record<PoolExhaustedError['code'], MissingKey>> = {
  POOL_NO_KEYS: 'key',
  POOL_NO_CREDENTIALS: 'usable_key',
};

/** null: it failed for another reason than a missing key. */
export function missingKeyOf(error: unknown): MissingKey | null {
  if (error instanceof KeyStoreError) return error.code === 'missing' ? 'store' : null;
  return error instanceof PoolExhaustedError ? (KEYLESS[error.code] ?? null) : null;
}

function messageOf(tool: string, provider: Provider, missing: MissingKey): string {
  const name = PROVIDER_NAMES[provider];
  const why = missing === 'usable_key' ? 'none of those stored can serve' : 'none is stored';
  return `${tool} needs a ${name} API key, and ${why}. Put one in on this page of your own computer: it is stored encrypted there, the assistant never sees it, and the call goes on by itself.`;
}

function refused(page: KeyPage, logger: Logger): 'no' {
  page.refuse();
  const isPerson = performance.now() - page.openedAt >= FASTEST_PERSON_MS;
  logger.info(
    isPerson
      ? 'The page for a missing key was declined'
      : 'The client declined the page for a missing key by itself; nobody was asked',
  );
  return 'no';
}

/** @throws an abort, when the caller cancelled */
export async function askForKey<Question>(asking: Asking<Question>): Promise<AskOutcome<Question>> {
  const { desk, person, tool, provider, missing, signal, leftMs, logger } = asking;
  const page = await desk.open(provider);
  signal.throwIfAborted();
  if (page === null) return 'no';
  const ending = new AbortController();
  const until = AbortSignal.any([signal, ending.signal, AbortSignal.timeout(leftMs)]);
  const taken = page.wait(until);
  try {
    const led = person.lead(page, messageOf(tool, provider, missing), until);
    // Who waits for the page has no use for how the client takes the end of the waiting.
    led.catch(() => {});
    // The page may be filled in before the client says that it was opened.
    const first = await Promise.race([led, taken]);
    signal.throwIfAborted();
    if (typeof first === 'object') return first;
    if (first === 'refused') {
      ending.abort();
      await taken;
      return refused(page, logger);
    }
    const isTaken = first === true || (await taken);
    signal.throwIfAborted();
    if (!isTaken) return first === 'opened' ? 'waiting' : 'no';
    person.finished(page);
    return 'taken';
  } finally {
    ending.abort();
  }
}
