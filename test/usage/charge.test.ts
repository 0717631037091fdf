import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AttemptUse, CallAsk } from '../../src/base/spending.ts';
import { chargeOf, mostUsd } from '../../src/usage/charge.ts';
import { builtInPrices } from '../../src/usage/prices/load-prices.ts';

const table = builtInPrices();
const OFF = Date.parse('2026-11-27T05:00:00Z');
const TIMES = { sentAt: OFF, endedAt: OFF + 1000 };

const ASK: CallAsk = {
  provider: 'deepseek',
  model: 'deepseek-flash',
  promptBytes: 4000,
  maxTokens: 10_000,
  tool: null,
  client: null,
  session: 's',
  signal: new AbortController().signal,
  timeoutMs: 1000,
  onWait: () => {},
};
const SEARCH: CallAsk = {
  ...ASK,
  provider: 'perplexity',
  model: 'search',
  promptBytes: 0,
  maxTokens: null,
};
const AGENT: CallAsk = { ...SEARCH, model: 'agent low' };

function use(changes: Partial<AttemptUse> = {}): AttemptUse {
  return {
    outcome: 'ok',
    stage: 'done',
    model: null,
    tokens: null,
    untoldRequests: 0,
    arrivedTokens: 0,
    toldUsd: null,
    ...changes,
  };
}

const TOLD = { promptTokens: 1000, cachedTokens: 640, completionTokens: 100, reasoningTokens: 40 };

describe('a charge', () => {
  it('takes told tokens as they are, reasoning within the output', () => {
    const charge = chargeOf(table, ASK, use({ tokens: TOLD }), TIMES);
    expect(charge).toMatchObject({ period: 'off_peak', isPerhaps: false });
    expect(charge.usd?.estimate).toBeCloseTo((640 * 0.003 + 360 * 0.15 + 100 * 0.6) / 1e6, 15);
  });

  it('takes told tokens of a failed attempt, too', () => {
    const failed = use({ tokens: TOLD, outcome: 'overloaded', stage: 'begun' });
    expect(chargeOf(table, ASK, failed, TIMES).isPerhaps).toBe(false);
  });

  it('never takes more hits than there is prompt', () => {
    const odd = use({ tokens: { ...TOLD, cachedTokens: 5000 } });
    const { usd } = chargeOf(table, ASK, odd, TIMES);
    expect(usd?.estimate).toBeCloseTo((1000 * 0.003 + 100 * 0.6) / 1e6, 15);
  });

  it('is nothing for a refusal, and perhaps something for what was never answered', () => {
    expect(chargeOf(table, ASK, use({ stage: 'refused' }), TIMES)).toMatchObject({
      usd: { estimate: 0, most: 0 },
      isPerhaps: false,
    });
    const lost = chargeOf(table, ASK, use({ stage: 'unanswered' }), TIMES);
    expect(lost).toMatchObject({ usd: { estimate: 0, least: 0 }, isPerhaps: true });
    expect(lost.usd?.most).toBeCloseTo((2000 * 0.15 + 10_000 * 0.6) / 1e6, 12);
  });

  it('of a broken answer is what arrived, between a cached prompt and all that was allowed', () => {
    const { usd, isPerhaps } = chargeOf(
      table,
      ASK,
      use({ stage: 'begun', untoldRequests: 1, arrivedTokens: 50 }),
      TIMES,
    );
    expect(isPerhaps).toBe(true);
    expect(usd?.estimate).toBeCloseTo((1000 * 0.15 + 50 * 0.6) / 1e6, 12);
    expect(usd?.least).toBeCloseTo((1000 * 0.003 + 50 * 0.6) / 1e6, 12);
    expect(usd?.most).toBeCloseTo((2000 * 0.15 + 10_000 * 0.6) / 1e6, 12);
  });

  it('is none for a model without a price, and by what was ordered where the answer has another name', () => {
    const unknown = { ...ASK, model: 'deepseek-v9' };
    expect(chargeOf(table, unknown, use({ tokens: TOLD }), TIMES)).toMatchObject({
      usd: null,
      cny: null,
    });
    const renamed = use({ tokens: TOLD, model: 'gateway-flash' });
    expect(chargeOf(table, ASK, renamed, TIMES)).toMatchObject({
      model: 'deepseek-flash',
      isPerhaps: true,
    });
    const substituted = use({ tokens: TOLD, model: 'deepseek-flash' });
    const pro = { ...ASK, model: 'deepseek-v4-pro' };
    expect(chargeOf(table, pro, substituted, TIMES)).toMatchObject({
      model: 'deepseek-flash',
      isPerhaps: false,
    });
  });

  it('of a search is a request, perhaps one where its answer was lost', () => {
    expect(chargeOf(table, SEARCH, use(), TIMES)).toMatchObject({
      usd: { estimate: 0.005 },
      isPerhaps: false,
    });
    expect(chargeOf(table, SEARCH, use({ stage: 'begun' }), TIMES)).toMatchObject({
      usd: { estimate: 0.005, least: 0 },
      isPerhaps: true,
    });
    expect(chargeOf(table, SEARCH, use({ stage: 'refused' }), TIMES).usd?.estimate).toBe(0);
  });

  it('of an Agent run is what it says, and its upper estimate when it was left', () => {
    const told = use({ toldUsd: 0.00386, stage: 'begun', outcome: 'server_error' });
    expect(chargeOf(table, AGENT, told, TIMES)).toMatchObject({
      usd: { estimate: 0.00386 },
      isPerhaps: false,
    });
    const left = use({ stage: 'begun', outcome: 'cancelled' });
    expect(chargeOf(table, AGENT, left, TIMES)).toMatchObject({
      usd: { estimate: 0.03, least: 0 },
      isPerhaps: true,
    });
  });

  it('lies between its bounds, whatever happened, and below what was reserved for it', () => {
    const count = fc.nat(1000);
    const stages = fc.constantFrom('refused', 'unanswered', 'queued', 'begun', 'done');
    const instants = fc.integer({ min: Date.parse('2026-09-12'), max: Date.parse('2027-12-31') });
    fc.assert(
      fc.property(
        stages,
        fc.boolean(),
        count,
        count,
        count,
        instants,
        fc.nat(3_600_000),
        (stage, isTold, a, b, c, sentAt, tookMs) => {
          const hasWorked = stage === 'begun' || stage === 'done';
          const untoldRequests = hasWorked && !isTold ? 1 : 0;
          const arrivedTokens = untoldRequests * c;
          const tokens =
            hasWorked && isTold
              ? { promptTokens: a, cachedTokens: b, completionTokens: c, reasoningTokens: null }
              : null;
          const endedAt = sentAt + tookMs;
          const used = use({ stage, tokens, untoldRequests, arrivedTokens });
          const { usd } = chargeOf(table, ASK, used, { sentAt, endedAt });
          expect(usd).not.toBeNull();
          if (usd === null) return;
          expect(usd.least).toBeLessThanOrEqual(usd.estimate);
          expect(usd.estimate).toBeLessThanOrEqual(usd.most);
          expect(usd.most).toBeLessThanOrEqual((mostUsd(table, ASK, sentAt) ?? 0) + 1e-12);
        },
      ),
    );
  });
});
