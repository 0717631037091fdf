/** From what an attempt used to what it is charged: pure, and never surer than the facts are. */

import type { AttemptUse, CallAsk } from '../base/spending.ts';
import type { Period } from './prices/calendar.ts';
import { type Cost, fixedCost, priceTokens, type Tokens } from './prices/price-attempt.ts';
import { type PriceTable, priceAt, requestPrice } from './prices/price-table.ts';

export interface Charge {
  /** The model that the price is of. */
  readonly model: string;
  readonly usd: Cost | null;
  readonly cny: Cost | null;
  readonly period: Period | null;
  readonly isPerhaps: boolean;
}

/** When an attempt was sent and when it ended, epoch milliseconds. */
export interface Times {
  readonly sentAt: number;
  readonly endedAt: number;
}

/** English and code have about four bytes a token. */
const BYTES_PER_TOKEN = 4;
/** Nothing that a person writes has fewer. */
const LEAST_BYTES_PER_TOKEN = 2;

/** As many tokens as the call can possibly cost. */
export function mostTokens(ask: Pick<CallAsk, 'promptBytes' | 'maxTokens'>): Tokens {
  const miss = Math.ceil(ask.promptBytes / LEAST_BYTES_PER_TOKEN);
  return { hit: 0, miss, output: ask.maxTokens ?? 0 };
}

interface Counted {
  readonly tokens: Tokens;
  readonly least: Tokens;
  readonly most: Tokens;
  readonly isSure: boolean;
}

function plus(a: Tokens, b: Tokens, times = 1): Tokens {
  return {
    hit: a.hit + times * b.hit,
    miss: a.miss + times * b.miss,
    output: a.output + times * b.output,
  };
}

/** Told counts are taken as they are; hits are part of the prompt and never added to it. */
function told(use: AttemptUse): Tokens {
  const { promptTokens, completionTokens, cachedTokens } = use.tokens ?? NO_COUNTS;
  const prompt = promptTokens ?? 0;
  const hit = Math.min(cachedTokens ?? 0, prompt);
  return { hit, miss: prompt - hit, output: completionTokens ?? 0 };
}

const NO_COUNTS = { promptTokens: null, completionTokens: null, cachedTokens: null };

function counted(ask: CallAsk, use: AttemptUse): Counted {
  const { stage, untoldRequests: untold, arrivedTokens } = use;
  const known = told(use);
  const isSilent = stage === 'unanswered' || stage === 'queued';
  const prompt = Math.ceil(ask.promptBytes / BYTES_PER_TOKEN);
  const arrived = { hit: 0, miss: 0, output: arrivedTokens };
  const unknown = untold + (isSilent ? 1 : 0);
  return {
    tokens: plus(plus(known, arrived), { hit: 0, miss: prompt, output: 0 }, untold),
    // The prompt of what broke off may have been in the cache.
    least: plus(plus(known, arrived), { hit: prompt, miss: 0, output: 0 }, untold),
    most: plus(known, mostTokens(ask), unknown),
    isSure: unknown === 0,
  };
}

function chargeTokens(table: PriceTable, ask: CallAsk, use: AttemptUse, times: Times): Charge {
  const { provider } = ask;
  const answered = use.model ?? ask.model;
  // A gateway may answer under a name of its own; what was ordered is what is billed, perhaps.
  const isKnown = priceAt(table, provider, answered, times.endedAt) !== null;
  const model = isKnown ? answered : ask.model;
  const { tokens, least, most, isSure } = counted(ask, use);
  const priced = priceTokens(table, { provider, model, ...times, tokens, least, most });
  if (priced === null) {
    return { model: answered, usd: null, cny: null, period: null, isPerhaps: !isSure };
  }
  const isFree = most.hit + most.miss + most.output === 0;
  const isPerhaps = !isFree && (!isSure || priced.period === 'perhaps' || !isKnown);
  return { model, ...priced.costs, period: priced.period, isPerhaps };
}

function chargeRequest(table: PriceTable, ask: CallAsk, use: AttemptUse): Charge {
  const { model } = ask;
  const sum = (usd: Cost | null, isPerhaps: boolean): Charge => ({
    model,
    usd,
    cny: null,
    period: null,
    isPerhaps,
  });
  if (use.toldUsd !== null) return sum(fixedCost(use.toldUsd), false);
  if (use.stage === 'refused') return sum(fixedCost(0), false);
  const price = requestPrice(table, ask.provider, model);
  if (price === null) return sum(null, true);
  const most = price.usdAtMost;
  if (use.stage === 'unanswered' || use.stage === 'queued') {
    return sum(fixedCost(0, { most }), true);
  }
  // Begun, and left or broken off: such runs go on, and are never told about again.
  const isWhole = use.stage === 'done' && price.usd !== null;
  const estimate = price.usd ?? most;
  return isWhole ? sum(fixedCost(estimate), false) : sum(fixedCost(estimate, { least: 0 }), true);
}

export function chargeOf(table: PriceTable, ask: CallAsk, use: AttemptUse, times: Times): Charge {
  return ask.maxTokens === null
    ? chargeRequest(table, ask, use)
    : chargeTokens(table, ask, use, times);
}

/** What the call can cost at most, were it sent now; null for a model without a price. */
export function mostUsd(table: PriceTable, ask: CallAsk, at: number): number | null {
  if (ask.maxTokens === null) {
    return requestPrice(table, ask.provider, ask.model)?.usdAtMost ?? null;
  }
  const { provider, model } = ask;
  // It may run into the next peak: the peak price is the upper one, whatever the hour.
  const list = priceAt(table, provider, model, at)?.lists.usd ?? null;
  if (list === null) return null;
  const { hit: _, miss, output } = mostTokens(ask);
  return (miss * list.peak.miss + output * list.peak.output) / 1_000_000;
}
