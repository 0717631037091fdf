import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CourseEvent, write } from '../../../../src/pool/records/course/course.ts';
import { attemptAt, failureOf, place, sceneOf } from '../scene.ts';

const SERVED = { kind: 'served', promptTokens: 100, completionTokens: 300 } as const;

describe('what an attempt writes on its course', () => {
  it('a call that is taken is room for more, and proves its key', () => {
    const where = place();
    const attempt = attemptAt(where, 0);
    expect(where.lane.limit.limit).toBe(1);
    const { effects } = write({ kind: 'accepted' }, sceneOf(where, attempt, 60));
    expect(effects).toEqual([{ kind: 'wake' }]);
    expect(where.lane.limit.limit).toBe(4);
    expect(where.key.proven).toBe(true);
  });

  it('is taken once, however often it is said', () => {
    const where = place();
    const attempt = attemptAt(where, 0);
    write({ kind: 'survived' }, sceneOf(where, attempt, 60));
    expect(write({ kind: 'accepted' }, sceneOf(where, attempt, 70)).effects).toEqual([]);
    expect(write({ kind: 'survived' }, sceneOf(where, attempt, 80)).effects).toEqual([]);
  });

  it('silence is no sign of how fast the upstream says that it takes a call', () => {
    const where = place();
    const attempt = attemptAt(where, 0);
    write({ kind: 'survived' }, sceneOf(where, attempt, 60));
    expect(where.provider.pace.signMs).toBeNull();
    write({ kind: 'accepted' }, sceneOf(where, attempt, 700));
    expect(where.provider.pace.signMs).toBe(700);
  });

  it('the first byte of a trial closes the breaker, and later bytes do nothing', () => {
    const where = place();
    const attempt = attemptAt(where, 0, { isKeyTrial: true });
    const first = write({ kind: 'first-byte' }, sceneOf(where, attempt, 500));
    expect(first.effects).toContainEqual({ kind: 'close-key' });
    expect(write({ kind: 'first-byte' }, sceneOf(where, attempt, 600)).effects).toEqual([]);
    expect(where.key.unanswered).toEqual([]);
  });

  it('a served call earns a fifth of a try, and no more than there may be', () => {
    const where = place();
    where.provider.tries = 0;
    write(SERVED, sceneOf(where, attemptAt(where, 0), 8_000));
    expect(where.provider.tries).toBeCloseTo(0.2);
    for (let call = 0; call < 100; call++)
      write(SERVED, sceneOf(where, attemptAt(where, 0), 8_000));
    expect(where.provider.tries).toBe(8);
  });

  it('a question after a pause is no try, for nothing of ours was there', () => {
    const where = place();
    const refused: CourseEvent = {
      kind: 'failed',
      failed: {
        kind: 'failure',
        failure: failureOf('concurrency', { status: 429 }),
        isRecalled: false,
      },
    };
    write(refused, sceneOf(where, attemptAt(where, 0), 60));
    expect(where.lane.limit.capacity).toBe(0);
    write(refused, sceneOf(where, attemptAt(where, 5_000), 5_060));
    expect(where.provider.tries).toBe(8);
  });

  const events: fc.Arbitrary<CourseEvent> = fc.oneof(
    fc.constantFrom<CourseEvent>(
      { kind: 'accepted' },
      { kind: 'survived' },
      { kind: 'first-byte' },
      { kind: 'told', told: { limit: 3, remaining: 1 } },
      SERVED,
      { kind: 'failed', failed: { kind: 'slow' } },
      { kind: 'failed', failed: { kind: 'bug' } },
      { kind: 'failed', failed: { kind: 'cancelled', failure: null } },
    ),
    fc
      .constantFrom('concurrency', 'server_error', 'invalid_key', 'no_credit', 'bad_request', 'cut')
      .map((kind): CourseEvent => {
        return {
          kind: 'failed',
          failed: { kind: 'failure', failure: failureOf(kind), isRecalled: false },
        };
      }),
  );

  const course = fc.array(fc.tuple(events, fc.integer({ min: 1, max: 5_000 })), { maxLength: 12 });

  it('whatever happens in whatever order, its slot is taken once and given back once', () => {
    fc.assert(
      fc.property(course, (steps) => {
        const where = place();
        const attempt = attemptAt(where, 0);
        let now = 0;
        for (const [event, ms] of steps) {
          now += ms;
          write(event, sceneOf(where, attempt, now));
          const there = attempt.isReleased ? 0 : 1;
          expect(where.lane.inFlight).toBe(there);
          expect(where.key.inFlight).toBe(there);
          expect(where.key.underWay.size).toBe(there);
          expect(where.key.unanswered.length).toBeLessThanOrEqual(there);
          expect(where.lane.limit.limit).toBeGreaterThanOrEqual(0);
          expect(where.lane.limit.limit).toBeLessThanOrEqual(64);
        }
        const hasEnded = steps.some(([{ kind }]) => kind === 'served' || kind === 'failed');
        expect(attempt.isReleased).toBe(hasEnded);
      }),
    );
  });
});
