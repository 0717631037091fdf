/**
 * How long an upstream asks to be left alone. Retry-After is seconds or a date (RFC 9110, 10.2.3);
 * gateways and other providers write durations, instants, two headers, or a sentence.
 */

import type { AnswerHeaders } from '../wire/body.ts';
import type { ErrorBody } from './error-body.ts';

/** A pause longer than this says nothing about the next call. */
const MAX_PAUSE_MS = 3_600_000;
/** Numbers from here on are instants: in seconds, then in milliseconds since 1970. */
const LEAST_EPOCH_S = 1_000_000_000;
const LEAST_EPOCH_MS = 1_000_000_000_000;

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/** One number and its unit, of `2m30s`, `1.5 seconds` or `1 minute and 30 seconds`. */
const PART =
  /^\s{0,4}(?:and\s)?\s{0,4}(\d{1,15}(?:\.\d{1,9})?)\s{0,4}(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)(?![a-z])/i;
const NUMBER = /^\d{1,15}(?:\.\d{1,9})?$/;
const HTTP_DATE =
  /[a-z]{3,9}, \d{2}[ -][a-z]{3}[ -]\d{2,4} \d{2}:\d{2}:\d{2} (?:GMT|UTC|[+-]\d{4})/gi;
const ISO_DATE = /^\d{4}-\d{2}-\d{2}T[\d:.]{5,20}(?:Z|[+-]\d{2}:?\d{2})$/;

function unitMs(word: string): number {
  const lower = word.toLowerCase();
  const isMilliseconds = lower === 'ms' || lower.startsWith('millisecond');
  return UNIT_MS.get(isMilliseconds ? 'ms' : lower.charAt(0)) ?? 0;
}

/** What a duration at the beginning of `text` adds up to; null when there is none. */
function durationMs(text: string): number | null {
  let rest = text;
  let total: number | null = null;
  for (let part = PART.exec(rest); part !== null; part = PART.exec(rest)) {
    const [whole, amount = '', unit = ''] = part;
    total = (total ?? 0) + Number(amount) * unitMs(unit);
    rest = rest.slice(whole.length);
  }
  return total;
}

function numberMs(value: number, now: number): number {
  if (value >= LEAST_EPOCH_MS) return value - now;
  return value >= LEAST_EPOCH_S ? value * 1_000 - now : value * 1_000;
}

/** One value of a header; null when it says nothing. */
function valueMs(value: string, now: number): number | null {
  if (NUMBER.test(value)) return numberMs(Number(value), now);
  if (ISO_DATE.test(value)) return Date.parse(value) - now;
  return durationMs(value);
}

function latest(pauses: ReadonlyArray<number | null>): number | null {
  const known = pauses.filter((pause) => pause !== null && Number.isFinite(pause) && pause > 0);
  return known.length === 0 ? null : Math.max(...known.map(Number));
}

/** A header, which may have come twice and then holds two values: the later one holds. */
function headerMs(raw: string | null, now: number): number | null {
  if (raw === null) return null;
  const text = raw.slice(0, 200);
  const dates = text.match(HTTP_DATE) ?? [];
  if (dates.length > 0) return latest(dates.map((date) => Date.parse(date) - now));
  return latest(text.split(',').map((value) => valueMs(value.trim(), now)));
}

/** The limits that OpenAI's and others' headers count apart. */
const COUNTED = ['', '-requests', '-tokens'] as const;
const RESETS = ['x-ratelimit-reset', 'x-rate-limit-reset', 'ratelimit-reset'] as const;

/**
 * When a limit that is used up has room again. Where the units in it are told as well, it is a bucket
 * that drains (Perplexity's), and the reset is when all of them are gone: one is gone sooner.
 */
function resetMs(headers: AnswerHeaders, now: number): number | null {
  const pauses = RESETS.flatMap((name) =>
    COUNTED.map((counted) => {
      const told = (what: string) => headers.get(`${name.replace('reset', what)}${counted}`);
      if (Number(told('remaining') ?? 0) > 0) return null;
      const allMs = headerMs(told('reset'), now);
      const used = Number(told('used') ?? 1);
      return allMs !== null && used > 1 ? allMs / used : allMs;
    }),
  );
  const after = headerMs(headers.get('x-ratelimit-reset-after'), now);
  return latest([...pauses, after]);
}

/** The sentence that tells a pause: "Please try again in 1m26.4s", "retry after 30 seconds". */
const ADVICE = /\b(?:try again|retry|retrying|wait)(?: (?:again|after|in|for|at least|about))* /gi;
const MAX_ADVICE = 20;
/** "Retry after 30." */
const BARE_SECONDS = /^(\d{1,6})(?![\d.:/-]\d)/;

function adviceMs(text: string): number | null {
  const pauses: Array<number | null> = [];
  for (const { index, 0: words } of text.matchAll(ADVICE)) {
    const start = index + words.length;
    const rest = text.slice(start, start + 80);
    const bare = BARE_SECONDS.exec(rest)?.[1];
    pauses.push(durationMs(rest) ?? (bare === undefined ? null : Number(bare) * 1_000));
    if (pauses.length === MAX_ADVICE) break;
  }
  return latest(pauses);
}

function bodyMs({ text, retryAfter }: ErrorBody, now: number): number | null {
  return latest([headerMs(retryAfter, now), adviceMs(text)]);
}

/**
 * Reads the pause that an error asks for: from `retry-after-ms`, else `retry-after`, else what the
 * body says, else the moment at which its rate limit begins anew.
 *
 * @param now milliseconds since 1970
 * @returns whole milliseconds from 1 to an hour; null where nothing is asked for, or nothing that
 *   lies ahead: 0 and the past are no pause
 */
export function retryAfterMs(
  headers: AnswerHeaders,
  body: ErrorBody,
  now: number = Date.now(),
): number | null {
  const exact = headers.get('retry-after-ms')?.trim() ?? '';
  const found =
    latest([NUMBER.test(exact) ? Number(exact) : null]) ??
    headerMs(headers.get('retry-after'), now) ??
    bodyMs(body, now) ??
    resetMs(headers, now);
  return found === null ? null : Math.min(MAX_PAUSE_MS, Math.max(1, Math.round(found)));
}
