/** Exchanges for the tests: what a process says, with as little as it takes to say it. */

import type { LaneRow, Report, ToldLimit } from '../../src/pool/sharing.ts';
import type { Exchange } from '../../src/sharing/protocol.ts';

export function told(more: Partial<ToldLimit> = {}): ToldLimit {
  return {
    generation: 1,
    limit: 8,
    capacity: 8,
    isEager: false,
    refusedAgoMs: 60_000,
    probeInMs: 1_000_000,
    refusedProbes: 0,
    step: 1,
    ...more,
  };
}

export function row(more: Partial<LaneRow> = {}): LaneRow {
  const inFlight = more.inFlight ?? 0;
  return {
    account: 'account',
    model: 'model',
    inFlight,
    accepted: inFlight,
    acceptedSentAgoMs: null,
    waitingInteractive: 0,
    waitingBatch: 0,
    isInteractive: true,
    ended: 0,
    ceiling: 64,
    share: inFlight,
    limit: told(),
    probeMs: 8_000,
    probeMaxMs: 16_000,
    ...more,
  };
}

export function says(seq: number, more: Partial<Exchange> = {}): Exchange {
  return {
    seq,
    rows: [],
    tries: [],
    asks: [],
    reports: [],
    facts: [],
    joined: [],
    heard: { epoch: 'here', version: 0 },
    client: null,
    ...more,
  };
}

export function reports(...list: readonly Report[]): Exchange['reports'] {
  return list.map((report, index) => ({ number: index + 1, report }));
}
