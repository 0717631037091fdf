import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Breaker } from '../../../src/pool/run/keys/breaker.ts';
import type { BreakerState } from '../../../src/pool/snapshot.ts';

let breaker: Breaker;
let changes: BreakerState[];

beforeEach(() => {
  vi.useFakeTimers();
  changes = [];
  breaker = new Breaker({ now: () => Date.now(), onChange: (state) => void changes.push(state) });
});

afterEach(() => {
  breaker.dispose();
  vi.useRealTimers();
});

/** An action that ends when told to. */
function pending(): { action: () => Promise<void>; end: () => void } {
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { action: () => ended, end };
}

describe('the breaker', () => {
  it('opens for the time given and then admits exactly one', async () => {
    breaker.trip(1_000);
    expect(breaker.admits).toBe(false);
    await vi.advanceTimersByTimeAsync(999);
    expect(breaker.state).toBe('open');
    await vi.advanceTimersByTimeAsync(1);
    expect(breaker.state).toBe('half-open');
    expect(breaker.admits).toBe(true);
    const trial = pending();
    const fired = breaker.fire(trial.action);
    expect(breaker.admits).toBe(false);
    trial.end();
    await fired;
    expect(breaker.state).toBe('closed');
    expect(changes.slice(0, 2)).toEqual(['open', 'half-open']);
  });

  it('is not closed by a call that was started before it opened', async () => {
    const stale = pending();
    const fired = breaker.fire(stale.action);
    breaker.trip(1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    stale.end();
    await fired;
    expect(breaker.state).toBe('half-open');
    expect(breaker.admits).toBe(true);
  });

  it('gives a fresh trial after one that proved nothing', async () => {
    breaker.trip(1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    const fired = breaker.fire(async () => breaker.allowTrial());
    await fired;
    expect(breaker.state).toBe('half-open');
    expect(breaker.admits).toBe(true);
  });

  it('stays open until healed when no time is given', async () => {
    breaker.trip();
    expect(breaker.openUntil).toBeNull();
    await vi.advanceTimersByTimeAsync(86_400_000);
    expect(breaker.state).toBe('open');
    breaker.heal();
    expect(breaker.state).toBe('closed');
  });

  it('leaves no timer behind after two thousand openings', () => {
    for (let turn = 0; turn < 2_000; turn++) breaker.trip(1_000);
    breaker.heal();
    expect(vi.getTimerCount()).toBe(0);
  });
});
