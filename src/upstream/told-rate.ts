/** What an answer's headers say about the account's requests per time. */

import type { ToldRate } from '../pool/lease.ts';
import type { AnswerHeaders } from './wire/body.ts';

/** Perplexity's, and what gateways make of them; of `50, 50;w=60` the first number. */
const FAMILIES = ['x-ratelimit-', 'x-rate-limit-', 'ratelimit-'] as const;
const COUNTS = ['', '-requests'] as const;
const COUNT = /^\s{0,4}(\d{1,9})(?:\.0{1,3})?\s{0,4}(?:[,;]|$)/;

function countIn(headers: AnswerHeaders, what: 'limit' | 'remaining'): number | null {
  for (const family of FAMILIES) {
    for (const counted of COUNTS) {
      const digits = COUNT.exec(headers.get(`${family}${what}${counted}`) ?? '')?.[1];
      if (digits !== undefined) return Number(digits);
    }
  }
  return null;
}

/** Both null where the answer says nothing. */
export function toldRate(headers: AnswerHeaders): ToldRate {
  return { limit: countIn(headers, 'limit'), remaining: countIn(headers, 'remaining') };
}
