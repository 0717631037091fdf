/** Exchanges for the tests: what a process says, with as little as it takes to say it. */

import { FOUND_LIMIT, statedRow, statement } from '../../lab/sharing/statement.ts';
import type { LaneRow, Report, ToldLimit } from '../../src/pool/sharing.ts';
import type { Exchange } from '../../src/sharing/protocol.ts';

export function told(more: Partial<ToldLimit> = {}): ToldLimit {
  const quiet = { refusedAgoMs: 60_000, probeInMs: 1_000_000 };
  return { ...FOUND_LIMIT, limit: 8, capacity: 8, ...quiet, ...more };
}

export function row(more: Partial<LaneRow> = {}): LaneRow {
  const base = { acceptedSentAgoMs: null, limit: told(), probeMs: 8_000, probeMaxMs: 16_000 };
  return { ...statedRow(more.inFlight ?? 0), ...base, ...more };
}

export function says(seq: number, more: Partial<Exchange> = {}): Exchange {
  return statement(seq, { heard: { epoch: 'here', version: 0 }, ...more });
}

export function reports(...list: readonly Report[]): Exchange['reports'] {
  return list.map((report, index) => ({ number: index + 1, report }));
}
