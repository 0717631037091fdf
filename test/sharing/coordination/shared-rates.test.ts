import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FRESH_RATE, type RateState } from '../../../src/pool/rules/rate.ts';
import { knownRate } from '../../../src/pool/rules/told/known-rate.ts';
import type { LaneRow, PacedGrant, PacedRow } from '../../../src/pool/sharing.ts';
import { exchange } from '../../../src/sharing/coordination/coordination.ts';
import { packState, unpackState } from '../../../src/sharing/coordination/packed-state.ts';
import { createState, type SharedState } from '../../../src/sharing/coordination/shared-state.ts';
import { parseAnswer, parseExchange } from '../../../src/sharing/parse-message.ts';
import type { Exchange } from '../../../src/sharing/protocol.ts';
import { reports, row, says } from '../exchanges.ts';

const NOW = 100_000;
/** Four a second, one at a time, at this very moment none. */
const FOUND: RateState = {
  ...FRESH_RATE,
  refusedRate: 0.004,
  leastRate: 0.0038,
  room: 0,
  roomAt: NOW,
  refusal: { sentAt: NOW - 50, at: NOW },
  cuts: 3,
  isSettled: true,
  wantedMs: 15_000,
};
const TURN_MS = 1 / 0.004;

function paced(more: Partial<PacedRow> = {}, rate: RateState = FOUND): LaneRow {
  const wants = more.wants ?? 0;
  return row({
    waitingInteractive: wants,
    paced: { rate: knownRate(rate, NOW), sent: 0, sends: [], wants, ...more },
  });
}

class Hub {
  state: SharedState = createState('here');
  now = NOW;
  #seq = 0;

  says(member: string, paced: LaneRow, more: Partial<Exchange> = {}): PacedGrant {
    this.#seq += 1;
    const request = says(this.#seq, { rows: [paced], ...more });
    const { state, answer } = exchange(this.state, member, request, this.now);
    this.state = state;
    const grant = answer.grants[0]?.paced;
    if (grant === undefined || grant === null) throw new Error('nothing was granted');
    return grant;
  }

  turn(member: string, more: Partial<PacedRow> = {}): number | null {
    const { turn } = this.says(member, paced({ wants: 1, ...more }));
    return turn === null ? null : Math.round(this.now - NOW + turn.inMs);
  }
}

/** All want a turn of an account that each of them knows. */
function inLine(...members: readonly string[]): Hub {
  const hub = new Hub();
  for (const member of [...members, ...members]) hub.turn(member);
  return hub;
}

describe('the turns of processes where requests per time are limited', () => {
  it('come one after the other, one of each process', () => {
    const hub = inLine('a', 'b', 'c');
    const turns = ['b', 'c', 'a'].map((member) => hub.turn(member));
    expect(turns).toEqual([TURN_MS, 2 * TURN_MS, 3 * TURN_MS]);
    hub.now += TURN_MS;
    const sends = [{ number: 1, agoMs: 0, units: 1 }];
    // Who has sent one goes to the end of the line, and nobody else's turn has moved.
    expect(hub.turn('b', { sent: 1, sends })).toBe(4 * TURN_MS);
    expect(hub.turn('c')).toBe(2 * TURN_MS);
    expect(hub.turn('a')).toBe(3 * TURN_MS);
  });

  it('are the same when an answer is lost, and are not used twice', () => {
    const hub = inLine('a', 'b');
    expect(hub.turn('b')).toBe(hub.turn('b'));
    expect(hub.says('b', paced({ wants: 1, sent: 7 })).sent).toBe(7);
  });

  it('are lost by who does not send when it could', () => {
    const hub = inLine('a', 'b');
    hub.now += TURN_MS;
    expect(hub.turn('b')).toBe(TURN_MS);
    expect(hub.turn('a')).toBe(2 * TURN_MS);
    hub.now += 600;
    hub.turn('a');
    expect(hub.turn('a')).toBe(600 + TURN_MS);
    expect(hub.turn('b')).toBe(600 + 2 * TURN_MS);
  });

  it('are asked for by nobody who has no call to send', () => {
    const hub = inLine('a', 'b');
    expect(hub.turn('b', { wants: 0 })).toBeNull();
    expect(hub.turn('a')).toBe(TURN_MS);
  });

  it('wait for the pause that follows a refusal, which is one of all that was sent', () => {
    const hub = inLine('a', 'b');
    hub.now += 2_000;
    const sends = [1, 2, 3].map((number) => ({ number, agoMs: 1_000 - 250 * number, units: 1 }));
    hub.says('a', paced({ sent: 3, sends, wants: 1 }));
    const refused = { kind: 'rate-refused', account: 'account', model: 'model' } as const;
    const report = { ...refused, number: 1, sentAgoMs: 10, retryAfterMs: 3_000, chance: 0.5 };
    const grant = hub.says('b', paced({ sent: 1, wants: 1 }), { reports: reports(report) });
    expect(grant.turn?.inMs).toBeGreaterThanOrEqual(3_000);
    const lane = [...hub.state.lanes.values()][0];
    expect(lane?.paced?.rate.cuts).toBe(FOUND.cuts + 1);
    expect(lane?.paced?.taken.map(({ number }) => number)).toEqual([1, 2, 3]);
  });

  it('are owed nothing by what was refused with others, if anybody told of it', () => {
    const hub = inLine('a', 'b');
    hub.now += 2_000;
    const agoMs = [900, 404, 403, 402, 401];
    const sends = agoMs.map((each, at) => ({ number: at + 1, agoMs: each, units: 1 }));
    const base = { kind: 'rate-refused', account: 'account', model: 'model' } as const;
    const fate = { sentAgoMs: 400, retryAfterMs: null, chance: 0.5 };
    const refused = [2, 3, 9].map((number) => ({ ...base, ...fate, number }));
    const row = paced({ sent: 5, sends, wants: 1 });
    const room = (): number => [...hub.state.lanes.values()][0]?.paced?.rate.room ?? 0;
    const rooms = [1, 2, 3].map((count) => {
      hub.says('a', row, { reports: reports(...refused.slice(0, count)) });
      return room();
    });
    // Three were sent after the first; the second was one of them, and of the last nothing is known.
    expect(rooms).toEqual([-3, -2, -2]);
  });

  it('whatever is lost, late or doubled, keep to the rate together', () => {
    const step = fc.record({
      process: fc.integer({ min: 0, max: 3 }),
      fate: fc.constantFrom('heard', 'unanswered', 'doubled'),
      wants: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 50, maxLength: 200 }), (steps) => {
        const hub = inLine('0', '1', '2', '3');
        const all = Array.from({ length: 4 }, () => ({ sent: 0, at: null as number | null }));
        const sends: Array<{ process: number; number: number; at: number }> = [];
        for (const { process, fate, wants } of steps) {
          hub.now += 20;
          all.forEach((each, index) => {
            if (each.at === null || each.at > hub.now) return;
            each.sent += 1;
            each.at = null;
            sends.push({ process: index, number: each.sent, at: hub.now });
          });
          const own = all[process];
          if (own === undefined) continue;
          const told = sends
            .filter((each) => each.process === process)
            .map(({ number, at }) => ({ number, agoMs: hub.now - at, units: 1 }));
          const said = paced({ sent: own.sent, sends: told.slice(-64), wants: wants ? 1 : 0 });
          const grant = hub.says(`${process}`, said);
          if (fate === 'doubled') hub.says(`${process}`, said);
          if (fate === 'unanswered') continue;
          own.at = grant.turn === null ? null : hub.now + grant.turn.inMs;
        }
        // One more, of a process that was not heard for longer than it may be.
        const allowed = 2 + (hub.now - NOW) / TURN_MS;
        expect(sends.length).toBeLessThanOrEqual(allowed);
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});

describe('what another process says of requests per time', () => {
  const number = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer());
  const odd = fc.record({
    refusedRate: fc.option(number),
    wantedMs: number,
    room: number,
    roomAgoMs: number,
    burstUnits: number,
    burstMs: number,
    restedAgoMs: fc.option(number),
    refusalSentAgoMs: fc.option(number),
    refusedAgoMs: fc.option(number),
    fullAgoMs: fc.option(number),
    refusals: number,
    leastRate: number,
    askedMs: number,
    closedAgoMs: fc.option(number),
    closedMs: number,
    cuts: number,
    isSettled: fc.boolean(),
    inRow: number,
    pausedForMs: number,
    named: fc.option(number),
  });
  const send = fc.record({ number, agoMs: number, units: number });

  it('moves nobody out of numbers, whatever it is', () => {
    fc.assert(
      fc.property(odd, fc.array(send, { maxLength: 64 }), number, (rate, sends, each) => {
        const base = { account: 'account', model: 'model', number: each, sentAgoMs: each };
        const request = says(2, {
          rows: [row({ waitingInteractive: 1, paced: { rate, sent: each, sends, wants: each } })],
          reports: reports(
            { kind: 'rate-refused', ...base, retryAfterMs: each, chance: each },
            { kind: 'rate-told', ...base, limit: each, remaining: each },
          ),
        });
        const hub = inLine('a', 'b');
        const parsed = parseExchange(JSON.parse(JSON.stringify(request)));
        for (const member of ['stranger', 'a']) {
          const { state, answer } = exchange(hub.state, member, { ...parsed, seq: 1e9 }, hub.now);
          expect(parseAnswer(JSON.parse(JSON.stringify(answer))).seq).toBe(1e9);
          expect(answer.grants[0]?.paced?.turn?.inMs ?? 0).not.toBeNaN();
          const packed = JSON.parse(JSON.stringify(packState(state, hub.now)));
          expect(unpackState(packed, 0, 0)).not.toBeNull();
        }
      }),
    );
  });

  it('has an end where a rate was found by nothing that it names', () => {
    const hub = new Hub();
    const rate = { ...FOUND, fullAt: Number.NEGATIVE_INFINITY, leastRate: 0.004 };
    const sends = [{ number: 1, agoMs: 10, units: 1 }];
    hub.says('a', paced({ wants: 1 }, rate));
    hub.says('b', paced({ wants: 1 }, rate));
    hub.now += 300;
    const base = { kind: 'rate-refused', account: 'account', model: 'model' } as const;
    const fate = { number: 2, sentAgoMs: 0, retryAfterMs: null, chance: 0.5 };
    const row = paced({ wants: 1, sent: 2, sends }, rate);
    const { turn } = hub.says('a', row, { reports: reports({ ...base, ...fate }) });
    expect(turn?.inMs).toBeLessThan(10_000);
  });

  it('is refused where it is too much', () => {
    const sends = Array.from({ length: 65 }, (_, at) => ({ number: at, agoMs: 1, units: 1 }));
    expect(() => parseExchange(says(1, { rows: [paced({ sends })] }))).toThrow();
  });
});
