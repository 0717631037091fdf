/**
 * One storm, from one seed: one to eight real pools on the same keys with a coordinator between
 * them, links that delay, lose, double and reorder what they carry, processes that die at any
 * instant, coordinators that end and are followed by others that know nothing, dead keys, empty
 * accounts and outages. What must hold is checked at every exchange and at the end.
 */

import { setMaxListeners } from 'node:events';
import { silentLogger } from '../../src/base/logger.ts';
import { KeyPool } from '../../src/pool/key-pool.ts';
import type { SharedState } from '../../src/sharing/coordination/shared-state.ts';
import { seededRandom } from '../../src/simulator/random.ts';
import { VirtualClock } from '../pool/simulation/virtual-clock.ts';
import {
  drawTokens,
  keySpecsOf,
  SimulatedUpstream,
  type UpstreamSpec,
} from '../pool/simulation/virtual-upstream.ts';
import { memberOn } from './process.ts';
import { LabCoordinator, type LabLink, type Weather } from './virtual-links.ts';

export interface StormResult {
  readonly calls: number;
  readonly sent: number;
  readonly refused: number;
  readonly exchanges: number;
  /** What did not hold, in words; empty when all did. */
  readonly broken: readonly string[];
}

const TIMEOUT_MS = 120_000;
/** Rounds of refusals that a call may meet, on the average, in the worst of storms. */
const REFUSALS_PER_CALL = 4;

type Draw = (least: number, most: number) => number;

function drawsOf(random: () => number): Draw {
  return (least, most) => least + Math.floor(random() * (most - least + 1));
}

function upstreamIn(draw: Draw, random: () => number): UpstreamSpec {
  const accounts = Array.from({ length: draw(1, 3) }, () => ({ capacity: draw(1, 6) }));
  const keys = accounts.flatMap((_, account) =>
    Array.from({ length: draw(1, 2) }, () => ({ account })),
  );
  const isOut = random() < 0.3;
  const outage = random() < 0.3 ? draw(100, 2_000) : null;
  const length = draw(200, 1_500);
  return {
    accounts: [{ capacity: draw(1, 4) }, ...accounts],
    // One key always works, but for the outages of all.
    keys: [{ account: -1 }, ...keys].map((key, index) => ({
      account: key.account + 1,
      fault: (now: number) => {
        if (outage !== null && now >= outage && now < outage + length) {
          return { kind: 'overloaded' } as const;
        }
        if (!isOut || index === 0 || index % 2 === 0) return null;
        return { kind: index % 4 === 1 ? 'invalid_key' : 'no_credit' } as const;
      },
    })),
    answerMs: draw(2, 20),
    firstByteMs: 40,
    tokenMs: 1,
    earlyHeaders: random() < 0.7,
    streams: random() < 0.8,
    idleMs: 2_000,
    isUnlabelled: random() < 0.5,
    refusal: { wording: random() < 0.5 ? 'numbers' : 'bare', ms: 0 },
  };
}

function weatherIn(draw: Draw, random: () => number): Weather {
  const kind = random();
  if (kind < 0.4) return { delayMs: [0, 0], lost: 0, doubled: 0 };
  if (kind < 0.7) return { delayMs: [0, draw(1, 20)], lost: 0, doubled: 0.1 * random() };
  return { delayMs: [0, draw(1, 30)], lost: 0.2 * random(), doubled: 0.3 * random() };
}

/**
 * No exchange gives a slot that is not there; asked for those with a process that knew already which
 * accounts are one. What it holds of two, by the limit of each, it still holds when they are found to
 * be one, until it hears of that.
 */
function overGiven(before: SharedState, after: SharedState, member: string): string[] {
  const own = after.members.get(member)?.stakes ?? new Map();
  const broken: string[] = [];
  for (const [key, stake] of own) {
    const last = before.members.get(member)?.stakes.get(key);
    // Who was alone found the limit itself, and says now what it has.
    if (last?.isAlone) continue;
    // Who comes from a coordinator that has ended keeps what that one gave.
    if (last === undefined && Number.isFinite(after.settlesUntil)) continue;
    const had = last?.held ?? 0;
    if (stake.held <= Math.max(had, stake.inFlight)) continue;
    let held = 0;
    for (const { stakes } of after.members.values()) held += stakes.get(key)?.held ?? 0;
    const limit = after.lanes.get(key)?.limit.limit ?? 0;
    if (held > limit) broken.push(`${held} slots are out where the limit is ${limit}`);
  }
  return broken;
}

class StormProcess {
  readonly pool: KeyPool;
  readonly link: LabLink;
  readonly death = new AbortController();

  constructor(
    index: number,
    hub: LabCoordinator,
    weather: Weather,
    make: (link: LabLink) => KeyPool,
  ) {
    setMaxListeners(0, this.death.signal);
    this.link = hub.link(`process-${index}`, weather);
    this.pool = make(this.link);
  }

  /** As by SIGKILL: nothing is said, its connections to the upstream close. */
  die(): void {
    this.link.isCut = true;
    this.death.abort();
    this.pool.close();
  }
}

export async function storm(seed: number): Promise<StormResult> {
  const random = seededRandom(seed);
  const draw = drawsOf(random);
  const clock = new VirtualClock();
  const spec = upstreamIn(draw, random);
  const upstream = new SimulatedUpstream(spec, clock, seededRandom(seed + 1));
  const hub = new LabCoordinator(clock, seededRandom(seed + 2));
  const broken: string[] = [];
  const heardOfJoined = new Map<string, number>();
  hub.onState = (before, after, member) => {
    const knew = heardOfJoined.get(member) === after.joined.size;
    heardOfJoined.set(member, after.joined.size);
    if (knew) broken.push(...overGiven(before, after, member));
  };
  const count = draw(1, 8);
  const calls = draw(4, 30);
  await clock.run(async () => {
    const weather = weatherIn(draw, random);
    const processes = Array.from(
      { length: count },
      (_, index) =>
        new StormProcess(
          index,
          hub,
          weather,
          (link) =>
            new KeyPool({
              keys: keySpecsOf(spec),
              maxConcurrent: 64,
              logger: silentLogger,
              now: () => clock.now,
              random: seededRandom(seed + 10 + index),
              answerMs: { deepseek: 20 },
              probe: async () => 'invalid_key',
              sharing: memberOn(link, `client-${index}`),
            }),
        ),
    );
    const troubles = [
      ...processes.map(async (process, index) => {
        // The first one lives: somebody has to be served.
        if (index === 0 || random() > 0.3) return;
        const isNoticed = random() < 0.5;
        await clock.sleep(draw(0, 3_000));
        process.die();
        if (isNoticed) hub.forget(`process-${index}`);
      }),
      (async () => {
        for (let round = draw(0, 2); round > 0; round--) {
          await clock.sleep(draw(0, 2_000));
          hub.isUp = false;
          hub.restart(`epoch-${seed}-${round}`);
          await clock.sleep(draw(0, 200));
          hub.isUp = true;
        }
      })(),
    ];
    const ends = Array.from({ length: calls }, async (_, index) => {
      const process = processes[index % count];
      if (process === undefined) throw new Error('no process');
      await clock.sleep(random() < 0.5 ? 0 : draw(0, 3_000));
      if (process.death.signal.aborted) return;
      const work = { tokens: drawTokens(150, random) };
      const request = {
        model: 'deepseek-flash',
        speedClass: 'deepseek-flash',
        signal: process.death.signal,
        timeoutMs: TIMEOUT_MS,
        priority: random() < 0.7 ? 'interactive' : 'batch',
        session: `session-${index % 3}`,
      } as const;
      try {
        await process.pool.lender('deepseek').call(request, (lease) => upstream.send(work, lease));
      } catch (error) {
        if (!process.death.signal.aborted) broken.push(`a call failed: ${String(error)}`);
      }
    });
    await Promise.all([...ends, ...troubles]);
    await clock.sleep(11_000);
    for (const { pool, death } of processes) {
      const view = pool.snapshot().providers[0];
      const inFlight = view?.keys.reduce((sum, key) => sum + key.inFlight, 0) ?? 0;
      if (inFlight > 0) broken.push(`${inFlight} slots of a pool were never given back`);
      if (!death.signal.aborted && view?.queueDepth !== 0) broken.push('calls wait for ever');
      pool.close();
    }
    hub.take('observer', nothingSaid(hub));
    const left = [...hub.state.members.keys()].filter((id) => {
      const stakes = [...(hub.state.members.get(id)?.stakes.values() ?? [])];
      return stakes.some((stake) => stake.held > 0);
    });
    if (left.length > 0) broken.push(`slots are missing: ${left.join(', ')} still hold some`);
  });
  const { refused, sent } = upstream.counts;
  if (refused > REFUSALS_PER_CALL * calls + 20)
    broken.push(`${refused} refusals of ${calls} calls`);
  return { calls, sent, refused, exchanges: hub.exchanges, broken: [...new Set(broken)] };
}

function nothingSaid({ state }: LabCoordinator) {
  const heard = { epoch: state.epoch, version: state.version };
  return {
    seq: 1,
    rows: [],
    measured: [],
    unmeasured: [],
    tries: [],
    asks: [],
    reports: [],
    facts: [],
    joined: [],
    heard,
    client: null,
  };
}
