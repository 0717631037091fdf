/**
 * What a key is called: which names the store takes, which of them the pool serves, in which order
 * they stand. Defined here alone, for the store, the environment, the importer and the API. Pure.
 */

import type { Provider } from '../errors.ts';
import { trimEnd } from '../text/trim.ts';

const KEY_NAME = /^[A-Z][A-Z0-9_]{0,63}$/;
/** A number has no leading zero and at most five digits; `_1` is the family's first, too. */
const POOL_NAME = /^(DEEPSEEK|PERPLEXITY)_API_KEY(?:_([1-9]\d{0,4}))?$/;
/** Means to be a pool key and is none: `_0`, `_01`, `_123456`, a number without its `_`. */
const NEAR_POOL_NAME = /^(DEEPSEEK|PERPLEXITY)_API_KEY_?\d*$/;
const LARGEST_NUMBER = 99_999;

/** The first name of each family; the others are numbered from 2 on, gaps allowed. */
export const FAMILIES: Readonly<Record<Provider, string>> = {
  deepseek: 'DEEPSEEK_API_KEY',
  perplexity: 'PERPLEXITY_API_KEY',
};

/** One variable that holds several keys, separated by commas, semicolons or white space. */
export const FAMILY_LISTS: Readonly<Record<Provider, string>> = {
  deepseek: 'DEEPSEEK_API_KEYS',
  perplexity: 'PERPLEXITY_API_KEYS',
};

/** A name of a family that the pool serves. */
export interface PoolName {
  readonly provider: Provider;
  /** 1 for the name without a number. */
  readonly number: number;
}

export function isKeyName(name: string): boolean {
  return KEY_NAME.test(name);
}

/** @returns null when the pool does not serve keys of this name */
export function poolName(name: string): PoolName | null {
  const match = POOL_NAME.exec(name);
  if (match === null) return null;
  const provider = match[1] === 'DEEPSEEK' ? 'deepseek' : 'perplexity';
  return { provider, number: Number(match[2] ?? 1) };
}

/** The provider that keys of this name belong to; null for every other secret. */
export function providerOf(name: string): Provider | null {
  return poolName(name)?.provider ?? null;
}

/** `DEEPSEEK_API_KEY`, `DEEPSEEK_API_KEY_2`, … */
export function numberedName(family: string, number: number): string {
  return number <= 1 ? family : `${family}_${number}`;
}

/**
 * The first name of the family from `from` on that is not taken; null when the numbers end.
 *
 * @param isTaken asked name by name
 */
export function freeName(
  family: string,
  from: number,
  isTaken: (name: string) => boolean,
): string | null {
  for (let number = Math.max(1, from); number <= LARGEST_NUMBER; number++) {
    const name = numberedName(family, number);
    if (!isTaken(name)) return isKeyName(name) ? name : null;
  }
  return null;
}

/** Other names that people give to a provider's key, in upper case. */
const ALIASES: Readonly<Record<Provider, RegExp>> = {
  deepseek:
    /^(?:[A-Z0-9]+_){0,3}(?:DEEPSEEK|DEEP_SEEK)(?:_AI|_CODER|_CHAT)?(?:_API|_SECRET|_ACCESS|_AUTH)?_?(?:KEYS?|TOKENS?|SECRET)(?:_?\d+)?$/,
  perplexity:
    /^(?:[A-Z0-9]+_){0,3}(?:PERPLEXITY|PERPLEXITYAI|PPLX|SONAR)(?:_AI)?(?:_API|_SECRET|_ACCESS|_AUTH)?_?(?:KEYS?|TOKENS?|SECRET)(?:_?\d+)?$/,
};

/**
 * The provider that a name seems to mean without being one of its pool names: `PPLX_API_KEY`,
 * `DEEPSEEK_KEY`, `VITE_DEEPSEEK_API_KEY`. Null for pool names and for everything else.
 */
export function aliasedProvider(name: string): Provider | null {
  if (poolName(name) !== null) return null;
  const upper = name.toUpperCase();
  if (ALIASES.deepseek.test(upper)) return 'deepseek';
  return ALIASES.perplexity.test(upper) ? 'perplexity' : null;
}

/** Why the store does not take a name, in our words; null when it does. Never repeats the name. */
export function nameProblem(name: string): string | null {
  if (!isKeyName(name)) return 'that is no key name';
  if (poolName(name) !== null || !NEAR_POOL_NAME.test(name)) return null;
  return 'the pool would never use a key of that name';
}

const DIGITS = '0123456789';

/**
 * By family, then by number: …_2 before …_10. Not by the locale: what that needs takes longer to
 * load than a small store takes to open.
 */
export function compareNames(one: string, other: string): number {
  const [family, otherFamily] = [trimEnd(one, DIGITS), trimEnd(other, DIGITS)];
  if (family !== otherFamily) return family < otherFamily ? -1 : 1;
  return Number(one.slice(family.length)) - Number(other.slice(family.length));
}
