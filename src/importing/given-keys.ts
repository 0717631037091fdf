/**
 * What a person pasted where keys of one provider were asked for: one key, or several, with
 * whatever was copied along. Judged by the rules of `keys add`.
 */

import { PROVIDER_NAMES, type Provider } from '../base/errors.ts';
import { FAMILIES, isKeyName } from '../base/keys/key-names.ts';
import { givenProblem, splitValues, unwrapValue, valueFitOf } from '../base/keys/key-values.ts';

/** `problem` is ours, lower case, without a period, and repeats nothing of the text. */
export type GivenKeys =
  | { readonly ok: true; readonly values: readonly string[] }
  | { readonly ok: false; readonly problem: string };

/** A page takes a hand full; a file of keys is for `keys import`. */
const MOST_KEYS = 50;

/** Beside keys a text holds labels, numbers and names. What is long and mixed is none of these. */
function isWord(part: string): boolean {
  return part.length < 16 || isKeyName(part) || !/\d/.test(part) || !/[A-Za-z]/.test(part);
}

/** What in a text may be a secret, whatever becomes of it. */
export function secretsIn(text: string): string[] {
  return partsOf(text).filter((part) => !isWord(part));
}

function partsOf(text: string): string[] {
  const lines = text.split(/\r?\n|\r/).filter((line) => line.trim() !== '');
  return lines.flatMap((line) => {
    const whole = unwrapValue(line);
    return /[\s,;|，；、]/.test(whole) || whole.includes('\\n') ? splitValues(line) : [whole];
  });
}

function inPlace(at: number, count: number, problem: string): string {
  return count === 1 ? problem : `entry ${at + 1} of ${count}: ${problem}`;
}

/** @returns the keys in the order they were written, each once; nothing when one of them is none */
export function readGivenKeys(provider: Provider, text: string): GivenKeys {
  const family = FAMILIES[provider];
  const parts = partsOf(text);
  const isKey = (part: string): boolean => ['own', 'near'].includes(valueFitOf(provider, part));
  // Who gives one thing means it; among several there are labels.
  const given = parts.length === 1 ? parts : parts.filter((part) => isKey(part) || !isWord(part));
  if (given.length > MOST_KEYS) {
    return { ok: false, problem: `it holds more than ${MOST_KEYS} keys` };
  }
  if (given.length === 0) {
    const problem =
      parts.length === 0 ? 'it is empty' : `there is no ${PROVIDER_NAMES[provider]} key in it`;
    return { ok: false, problem };
  }
  for (const [at, value] of given.entries()) {
    const problem = givenProblem(family, value);
    if (problem !== null) return { ok: false, problem: inPlace(at, given.length, problem) };
  }
  return { ok: true, values: [...new Set(given)] };
}
