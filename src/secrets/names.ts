/** What a key name, a value and an account label may look like. */

import { KeyStoreError } from '../base/errors.ts';

const NAME = /^[A-Z][A-Z0-9_]{0,63}$/;
/** White space, control, format (zero-width), private and unassigned characters. */
const UNUSABLE = /[\s\p{C}]/u;
const MAX_VALUE = 8192;
const MAX_ACCOUNT = 64;
/** These travel in an HTTP header. */
const POOL_FAMILY = /^(?:DEEPSEEK|PERPLEXITY)_API_KEY(?:_\d+)?$/;

export function isKeyName(name: string): boolean {
  return NAME.test(name);
}

/**
 * By family, then by number: …_2 before …_10. Not by the locale: what that needs takes longer to
 * load than a small store takes to open.
 */
export function compareNames(one: string, other: string): number {
  const [first, second] = [one, other].map((name) => /^(.*?)(\d*)$/.exec(name));
  const [family, otherFamily] = [first?.[1] ?? one, second?.[1] ?? other];
  if (family !== otherFamily) return family < otherFamily ? -1 : 1;
  return Number(first?.[2]) - Number(second?.[2]);
}

/** The name is never repeated: it may be a key that landed in the wrong place. */
export function checkName(name: string): void {
  if (isKeyName(name)) return;
  throw new KeyStoreError('invalid_name', 'that is no key name', {
    hint: 'use capitals, digits and _, for instance DEEPSEEK_API_KEY_2 or BYBIT_API_KEY',
  });
}

/** Why a value cannot be a key, in our words; null when it can. */
export function valueProblem(name: string, value: string): string | null {
  if (value === '') return 'it is empty';
  if (/[\r\n]/.test(value)) return 'it has more than one line';
  if (/\s/.test(value)) return 'it contains a space';
  if (UNUSABLE.test(value)) return 'it contains an invisible character';
  if (value.length > MAX_VALUE) return `it is longer than ${MAX_VALUE} characters`;
  if (POOL_FAMILY.test(name) && /[^\x21-\x7e]/.test(value))
    return 'it contains a character outside ASCII';
  return null;
}

export function checkValue(name: string, value: string): void {
  const problem = valueProblem(name, value);
  if (problem === null) return;
  throw new KeyStoreError('invalid_value', `the value cannot be a key: ${problem}`, {
    hint: 'copy it again from the provider, without anything around it',
  });
}

export function checkAccount(account: string): void {
  const isUsable = account.trim() === account && account !== '' && !/\p{C}/u.test(account);
  if (isUsable && account.length <= MAX_ACCOUNT) return;
  throw new KeyStoreError('invalid_value', 'the account label is not usable', {
    hint: `use 1 to ${MAX_ACCOUNT} printable characters, for instance --account main`,
  });
}
