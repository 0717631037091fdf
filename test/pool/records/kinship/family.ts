/** A family of keys that each look like an account of their own: the records, and calls on them. */

import type { Failure } from '../../../../src/base/errors.ts';
import { begin, release } from '../../../../src/pool/records/attempt-record.ts';
import { mergeAccount } from '../../../../src/pool/records/kinship/found-account.ts';
import { type Family, Kinship, type Visit } from '../../../../src/pool/records/kinship/kinship.ts';
import type { Lane } from '../../../../src/pool/records/lane.ts';
import { accept, refused, sign } from '../../../../src/pool/records/lane-writer.ts';
import {
  type AccountRecord,
  createAccount,
  createKeyRecord,
  createProvider,
  laneOf,
} from '../../../../src/pool/records/state.ts';
import { afterRefused } from '../../../../src/pool/rules/limit.ts';
import { timingFor } from '../../../../src/pool/rules/timing.ts';

export const MODEL = 'deepseek-flash';
export const NO_NUMBERS: Pick<Failure, 'namedInFlight' | 'namedLimit'> = {
  namedInFlight: null,
  namedLimit: null,
};

/** Keys that each look like an account of their own. Refusals come after 10 ms, calls take a second. */
export class Stage implements Family {
  readonly provider = createProvider('deepseek', 5);
  accounts: readonly AccountRecord[];
  readonly slots: ReadonlyArray<{ readonly isGiven: boolean }>;
  readonly kinship: Kinship;
  readonly joined: string[][] = [];
  readonly parted: string[] = [];
  #now = 10_000;
  #turn = 0;

  constructor(labels: readonly string[], isGiven = false) {
    this.provider.pace = { ...this.provider.pace, serviceMs: 1_000, refusalMs: 10 };
    this.accounts = labels.map((label) => createAccount(label, isGiven));
    this.slots = labels.map(() => ({ isGiven }));
    this.kinship = new Kinship(this);
  }

  labelsByName(): ReadonlyMap<string, string> {
    return new Map(this.accounts.flatMap(({ members }) => members).map((each) => [each, each]));
  }

  join(one: AccountRecord, other: AccountRecord): AccountRecord {
    mergeAccount(one, other);
    this.joined.push([...one.members]);
    this.accounts = this.accounts.filter((each) => each !== other);
    return one;
  }

  part(account: AccountRecord): void {
    this.parted.push(account.label);
  }

  timing() {
    return timingFor(this.provider.pace);
  }

  now(): number {
    return this.#now;
  }

  wait(ms: number): void {
    this.#now += ms;
  }

  account(label: string): AccountRecord {
    const found = this.accounts.find(({ members }) => members.includes(label));
    if (found === undefined) throw new Error(`no account ${label}`);
    return found;
  }

  lane(label: string): Lane {
    return laneOf(this.account(label), MODEL, 64);
  }

  /** A key's call on its way. */
  send(label: string): Visit {
    const account = this.account(label);
    const key = createKeyRecord('deepseek', label, label, label);
    const place = { provider: this.provider, account, key, lane: this.lane(label) };
    this.#turn += 1;
    const trials = { isKeyTrial: false, isProviderTrial: false };
    const attempt = begin(place, {
      call: this.#turn,
      model: MODEL,
      speedClass: MODEL,
      units: 1,
      sentAt: this.#now,
      ...trials,
      turn: this.#turn,
      usedAt: 0,
    });
    return { ...place, attempt };
  }

  /** Calls that the upstream has and says so. */
  hold(label: string, count: number): Visit[] {
    return Array.from({ length: count }, () => {
      const visit = this.send(label);
      sign(visit.attempt.stay, this.#now);
      accept(visit.attempt.stay);
      return visit;
    });
  }

  end({ attempt, ...place }: Visit, how: 'ended' | 'refused' = 'ended'): void {
    release(place, attempt, this.#now, how);
  }

  /** A call of this key is refused, ten milliseconds later. */
  refuse(label: string, numbers = NO_NUMBERS): Visit {
    const visit = this.send(label);
    this.wait(10);
    this.end(visit, 'refused');
    const { sentAt } = visit.attempt;
    const refusal = { sentAt, now: this.#now, retryAfterMs: null, ...numbers };
    refused(visit.lane, refusal, this.timing());
    this.kinship.refused(visit, numbers);
    return visit;
  }

  /** So many calls of each key are there for a while, and one more of the first key is refused. */
  burst(load: Readonly<Record<string, number>>, numbers = NO_NUMBERS): void {
    const [first = ''] = Object.keys(load);
    const held = Object.entries(load).flatMap(([label, count]) => this.hold(label, count));
    this.wait(100);
    this.refuse(first, numbers);
    // What was refused is explained with the next refusal, when the fate of the others is known.
    this.wait(100);
    for (const visit of held) this.end(visit);
    this.wait(10);
  }
}

/** A full lane with this capacity, in the records of a stage. */
export function fill(stage: Stage, label: string, capacity: number): Visit[] {
  const visits = stage.hold(label, capacity);
  const lane = stage.lane(label);
  const refusal = { seen: capacity, room: null, now: stage.now(), retryAfterMs: null };
  const limit = afterRefused({ ...lane.limit, limit: capacity + 1 }, refusal, stage.timing());
  stage.account(label).lanes.set(MODEL, { ...lane, limit });
  return visits;
}
