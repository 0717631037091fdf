/** One scenario, one policy, one seed, on virtual time. */

import type { KeyPool } from '../../../src/pool/key-pool.ts';
import type { Sharing } from '../../../src/pool/sharing.ts';
import type { FoundAccounts } from '../../../src/pool/snapshot.ts';
import { seededRandom } from '../../../src/simulator/random.ts';
import { runOracle } from '../oracle.ts';
import { createPolicy, type Policy, type PolicyContext, type PolicyName } from '../policies.ts';
import type { Arrival, Scenario } from './traffic.ts';
import { VirtualClock } from './virtual-clock.ts';
import {
  indexOfKey,
  keySpecsOf,
  SimulatedUpstream,
  type UpstreamCounts,
  type UpstreamSpec,
} from './virtual-upstream.ts';

/** One that is no model of what people build. */
export type MakePolicy = (context: PolicyContext) => Policy;

export interface RunResult {
  /** Of the calls that are neither cancelled nor bad. */
  readonly success: number;
  readonly makespanMs: number;
  readonly optimumMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly optimumP95Ms: number;
  /** The slowest call over the optimum's slowest: a starved caller shows here. */
  readonly slowest: number;
  readonly slowestOverMedian: number;
  /** Sends per call. */
  readonly sends: number;
  /** Refusals for too many in flight, per call. */
  readonly refusals: number;
  /** Goodput × success over the oracle's: 1 is perfect. */
  readonly score: number;
  readonly counts: UpstreamCounts;
  /** Slots still taken when all calls had ended. */
  readonly leaked: number;
  readonly scores: readonly number[];
  /** The longest that keys of several accounts were taken for one; milliseconds. */
  readonly mistakenMs: number;
  /** Names of the keys that were one account in the end, as far as was found. */
  readonly found: readonly (readonly string[])[];
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

interface Done {
  readonly ok: boolean;
  readonly counts: boolean;
  readonly latencyMs: number;
  readonly at: number;
}

async function runCall(
  arrival: Arrival,
  index: number,
  policy: Policy,
  upstream: SimulatedUpstream,
  clock: VirtualClock,
): Promise<Done> {
  await clock.sleep(arrival.at - clock.now);
  const at = clock.now;
  const controller = new AbortController();
  const { cancelAfterMs, work } = arrival;
  if (cancelAfterMs !== undefined) {
    void clock.sleep(cancelAfterMs).then(() => controller.abort());
  }
  const request = {
    model: 'deepseek-flash',
    speedClass: 'deepseek-flash',
    signal: controller.signal,
    timeoutMs: arrival.timeoutMs,
    priority: 'interactive',
    session: `session-${index % 3}`,
  } as const;
  const end = (ok: boolean): Done => ({
    ok,
    counts: work.isBad !== true && cancelAfterMs === undefined,
    latencyMs: clock.now - at,
    at: clock.now,
  });
  try {
    await policy.call(request, (lease) => upstream.send(work, lease));
    return end(true);
  } catch {
    return end(false);
  }
}

async function runCalls(
  { callers }: Scenario,
  arrivals: readonly Arrival[],
  run: (arrival: Arrival, index: number) => Promise<Done>,
): Promise<readonly Done[]> {
  if (callers === undefined) return Promise.all(arrivals.map(run));
  const waiting = arrivals.entries();
  const ended: Done[] = [];
  const loop = async (): Promise<void> => {
    for (const [index, arrival] of waiting) ended.push(await run(arrival, index));
  };
  await Promise.all(Array.from({ length: callers }, loop));
  return ended;
}

/** The longest life of a finding that keys of several accounts are one. */
class Findings {
  #mistakenMs = 0;
  readonly #spec: UpstreamSpec;
  readonly #clock: VirtualClock;
  #since: number | null = null;

  constructor(spec: UpstreamSpec, clock: VirtualClock) {
    this.#spec = spec;
    this.#clock = clock;
  }

  note({ accounts }: FoundAccounts): void {
    this.#mistakenMs = this.mistakenMs;
    const isMistaken = accounts.some((keys) => this.#accountsOf(keys) > 1);
    this.#since = isMistaken ? (this.#since ?? this.#clock.now) : null;
  }

  get mistakenMs(): number {
    return Math.max(this.#mistakenMs, this.#since === null ? 0 : this.#clock.now - this.#since);
  }

  #accountsOf(keys: FoundAccounts['accounts'][number]): number {
    const accounts = keys.map(({ name }) => this.#spec.keys[indexOfKey(name)]?.account);
    return new Set(accounts).size;
  }
}

/** The program asks what its accounts have so long after its first call has ended. */
const ASKED_AFTER_MS = 5_000;

/** To be told of every call that ended. */
function balanceTeller({ accounts, ...spec }: UpstreamSpec, clock: VirtualClock, pool?: KeyPool) {
  let isAsked = false;
  return async (): Promise<void> => {
    if (isAsked) return;
    isAsked = true;
    await clock.sleep(ASKED_AFTER_MS);
    for (const { name, account } of keySpecsOf({ accounts, ...spec })) {
      const amount = accounts[spec.keys[indexOfKey(name)]?.account ?? -1]?.balance;
      const read = {
        at: clock.now,
        provider: 'deepseek',
        account: account ?? name,
        currency: 'USD',
      };
      if (amount !== undefined) pool?.noteBalance({ ...read, amount });
    }
  };
}

/** @param withOthers the way to other processes, as one of them that is alone has it */
export async function simulate(
  scenario: Scenario,
  policyOf: PolicyName | MakePolicy,
  seed: number,
  withOthers?: (clock: VirtualClock) => Sharing,
): Promise<RunResult> {
  const clock = new VirtualClock();
  const arrivals = scenario.arrivals(seededRandom(seed));
  const upstream = new SimulatedUpstream(scenario.upstream, clock, seededRandom(seed + 1_000));
  const findings = new Findings(scenario.upstream, clock);
  const done = await clock.run(async () => {
    const context = {
      keys: keySpecsOf(scenario.upstream),
      clock,
      random: seededRandom(seed + 2_000),
      maxConcurrent: scenario.maxConcurrent,
      answerMs: Math.max(10, scenario.upstream.answerMs),
      ...(withOthers === undefined ? {} : { sharing: withOthers(clock) }),
      onAccounts: (found: FoundAccounts) => findings.note(found),
    };
    const policy =
      typeof policyOf === 'string' ? createPolicy(policyOf, context) : policyOf(context);
    const tellBalances = balanceTeller(scenario.upstream, clock, policy.pool);
    const ended = await runCalls(scenario, arrivals, async (arrival, index) => {
      const done = await runCall(arrival, index, policy, upstream, clock);
      void tellBalances();
      return done;
    });
    const keys = policy.pool?.snapshot().providers[0]?.keys ?? [];
    policy.close();
    const { accounts } = policy.pool?.snapshot().providers[0] ?? { accounts: [] };
    const found = accounts.filter((each) => each.found).map((each) => each.keys);
    return { ended, keys, found, mistakenMs: findings.mistakenMs };
  });
  const oracle = runOracle(scenario.upstream, arrivals, scenario.callers);
  const counted = done.ended.filter((each) => each.counts);
  const served = counted.filter((each) => each.ok);
  const latencies = served.map((each) => each.latencyMs);
  const success = served.length / counted.length;
  const makespanMs = Math.max(...counted.map((each) => each.at)) - (arrivals[0]?.at ?? 0);
  return {
    success,
    makespanMs,
    optimumMs: oracle.makespanMs,
    p50Ms: percentile(latencies, 0.5),
    p95Ms: percentile(latencies, 0.95),
    optimumP95Ms: percentile(oracle.latenciesMs, 0.95),
    slowest: Math.max(...latencies) / Math.max(...oracle.latenciesMs),
    slowestOverMedian: Math.max(...latencies) / percentile(latencies, 0.5),
    sends: upstream.counts.sent / arrivals.length,
    refusals: upstream.counts.refused / arrivals.length,
    score: success * success * (oracle.makespanMs / makespanMs),
    counts: upstream.counts,
    leaked: done.keys.reduce((sum, key) => sum + key.inFlight, 0),
    scores: done.keys.map((key) => key.score),
    mistakenMs: done.mistakenMs,
    found: done.found,
  };
}
