/**
 * Several processes on the same keys, on virtual time: each a real pool with a real member, with one
 * coordinator between them; or with nothing between them; or all their calls in one process.
 */

import { silentLogger } from '../../src/base/logger.ts';
import { KeyPool } from '../../src/pool/key-pool.ts';
import type { KeyProbe, Priority } from '../../src/pool/lease.ts';
import { inherited, type SharedState } from '../../src/sharing/coordination/shared-state.ts';
import { seededRandom } from '../../src/simulator/random.ts';
import { VirtualClock } from '../pool/simulation/virtual-clock.ts';
import {
  keySpecsOf,
  SimulatedUpstream,
  type UpstreamSpec,
  type Work,
} from '../pool/simulation/virtual-upstream.ts';
import { memberOn } from './process.ts';
import { FAIR, LabCoordinator, type Weather } from './virtual-links.ts';

export type Together = 'one' | 'apart' | 'shared';

export interface SharedArrival {
  readonly client: number;
  readonly at: number;
  readonly work: Work;
  readonly timeoutMs: number;
  readonly priority?: Priority;
}

export interface SharedCase {
  readonly upstream: UpstreamSpec;
  readonly clients: number;
  readonly arrivals: readonly SharedArrival[];
  readonly maxConcurrent: number;
  readonly weather?: Weather;
  /** What happens to the coordinator meanwhile. */
  readonly trouble?: (hub: LabCoordinator, clock: VirtualClock) => Promise<void>;
  /** What an earlier coordinator left. */
  readonly inherits?: SharedState;
  /** Default: a dead key stays dead. */
  readonly probe?: KeyProbe;
}

export interface SharedCallEnd {
  readonly client: number;
  readonly ok: boolean;
  readonly latencyMs: number;
  readonly at: number;
}

export interface SharedRun {
  readonly ends: readonly SharedCallEnd[];
  readonly refused: number;
  readonly sent: number;
  readonly faults: number;
  /** Calls that each key was sent. */
  readonly byKey: readonly number[];
  readonly makespanMs: number;
  readonly leaked: number;
  readonly exchanges: number;
  /** Accounts that each process knows of at the end. */
  readonly accounts: readonly number[];
  /** What the coordinator knew at the end. */
  readonly known: SharedState;
}

export async function simulateShared(
  each: SharedCase,
  together: Together,
  seed: number,
): Promise<SharedRun> {
  const clock = new VirtualClock();
  const upstream = new SimulatedUpstream(each.upstream, clock, seededRandom(seed + 1_000));
  const hub = new LabCoordinator(clock, seededRandom(seed + 3_000));
  if (each.inherits !== undefined) hub.state = inherited(each.inherits, 'epoch-2');
  const count = together === 'one' ? 1 : each.clients;
  const done = await clock.run(async () => {
    const pools = Array.from({ length: count }, (_, index) => {
      const link = hub.link(`process-${index}`, each.weather ?? FAIR);
      return new KeyPool({
        keys: keySpecsOf(each.upstream),
        maxConcurrent: each.maxConcurrent,
        logger: silentLogger,
        now: () => clock.now,
        random: seededRandom(seed + 2_000 + index),
        answerMs: { deepseek: Math.max(10, each.upstream.answerMs) },
        probe: each.probe ?? (async () => 'invalid_key'),
        ...(together === 'shared' ? { sharing: memberOn(link, `client-${index}`) } : {}),
      });
    });
    void each.trouble?.(hub, clock);
    const ends = await Promise.all(
      each.arrivals.map(async (arrival): Promise<SharedCallEnd> => {
        await clock.sleep(arrival.at);
        const pool = pools[arrival.client % count];
        if (pool === undefined) throw new Error('no pool');
        const ok = await pool
          .lender('deepseek')
          .call(requestFor(arrival), (lease) => upstream.send(arrival.work, lease))
          .then(() => true)
          .catch(() => false);
        const latencyMs = clock.now - arrival.at;
        return { client: arrival.client, ok, latencyMs, at: clock.now };
      }),
    );
    await clock.sleep(1_000);
    const keys = pools.flatMap((pool) => pool.snapshot().providers[0]?.keys ?? []);
    const accounts = pools.map((pool) => pool.snapshot().providers[0]?.accounts.length ?? 0);
    for (const pool of pools) pool.close();
    return { ends, accounts, leaked: keys.reduce((sum, key) => sum + key.inFlight, 0) };
  });
  return {
    ...done,
    refused: upstream.counts.refused,
    sent: upstream.counts.sent,
    faults: upstream.counts.faults,
    byKey: upstream.counts.byKey,
    makespanMs: Math.max(...done.ends.map((end) => end.at)) - (each.arrivals[0]?.at ?? 0),
    exchanges: hub.exchanges,
    known: hub.state,
  };
}

function requestFor(arrival: SharedArrival) {
  return {
    model: 'deepseek-flash',
    speedClass: 'deepseek-flash',
    signal: new AbortController().signal,
    timeoutMs: arrival.timeoutMs,
    priority: arrival.priority ?? 'interactive',
    session: `client-${arrival.client}`,
  } as const;
}
