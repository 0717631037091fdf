/** What a process says, for tests of links: one account, one model, so many calls. */

import type { LaneRow } from '../../src/pool/sharing.ts';
import type { Exchange } from '../../src/sharing/protocol.ts';

/** One that was found a second ago. */
export const FOUND_LIMIT = {
  generation: 1,
  limit: 4,
  capacity: 4,
  isEager: false,
  refusedAgoMs: 1_000,
  probeInMs: 60_000,
  refusedProbes: 0,
  step: 1,
} as const;

/** A row of an account whose limit of four is known. */
export function statedRow(inFlight: number, waiting = 0): LaneRow {
  return {
    account: 'account',
    model: 'model',
    inFlight,
    accepted: inFlight,
    acceptedSentAgoMs: inFlight === 0 ? null : 10,
    waitingInteractive: waiting,
    waitingBatch: 0,
    isInteractive: true,
    ended: 0,
    ceiling: 64,
    share: inFlight,
    limit: FOUND_LIMIT,
    probeMs: 60_000,
    probeMaxMs: 600_000,
    paced: null,
  };
}

/** @param seq has to grow from one statement of a process to the next */
export function statement(seq: number, more: Partial<Exchange> = {}): Exchange {
  return {
    seq,
    rows: [],
    measured: [],
    unmeasured: [],
    tries: [],
    asks: [],
    reports: [],
    facts: [],
    joined: [],
    heard: { epoch: '', version: 0 },
    client: null,
    ...more,
  };
}
