/** Which pool keys an environment or a settings file gives, and what in it only looks like one. */

import { PROVIDERS } from '../errors.ts';
import {
  compareNames,
  FAMILIES,
  FAMILY_LISTS,
  freeName,
  nameProblem,
  poolName,
} from './key-names.ts';
import { isPlaceholder, splitValues, unwrapValue, valueProblem } from './key-values.ts';

/** A variable whose value is not used, and why, in our words. Never the value. */
export interface UnusedVariable {
  readonly name: string;
  readonly reason: string;
}

export interface EnvironmentKeys {
  /** Name → value, in the order of the numbers. */
  readonly keys: ReadonlyMap<string, string>;
  /** Names that nobody wrote: further values of a list, under the next free numbers. */
  readonly listed: ReadonlySet<string>;
  readonly unused: readonly UnusedVariable[];
}

type Values = ReadonlyMap<string, string>;

interface Found {
  readonly keys: Map<string, string>;
  readonly rest: Array<{
    readonly family: string;
    readonly variable: string;
    readonly value: string;
  }>;
  readonly unused: UnusedVariable[];
}

/** Whether a variable is a pool key, a list of them, or means to be one. */
export function isPoolVariable(name: string): boolean {
  return /^(?:DEEPSEEK|PERPLEXITY)_API_KEY/.test(name);
}

/** One variable of a family: its first value has its name, the others wait for a number. */
function readVariable(found: Found, variable: string, family: string, text: string): void {
  const isList = poolName(variable) === null;
  // A value without a separator keeps what stands in it; only what is around it goes.
  const values = /[\s,;]/.test(text.trim()) ? splitValues(text) : [unwrapValue(text)];
  for (const [at, value] of values.filter((each) => !isPlaceholder(each)).entries()) {
    const reason = valueProblem(family, value);
    if (reason !== null) found.unused.push({ name: variable, reason });
    else if (at === 0 && !isList) found.keys.set(variable, value);
    else found.rest.push({ family, variable, value });
  }
}

/**
 * @param values every variable that has a value
 */
export function environmentKeysOf(values: Values): EnvironmentKeys {
  const found: Found = { keys: new Map(), rest: [], unused: [] };
  for (const [name, text] of [...values].sort(([a], [b]) => compareNames(a, b))) {
    const provider =
      poolName(name)?.provider ?? PROVIDERS.find((each) => FAMILY_LISTS[each] === name);
    if (provider !== undefined) readVariable(found, name, FAMILIES[provider], text);
    else if (isPoolVariable(name) && !isPlaceholder(text)) {
      const reason = nameProblem(name);
      if (reason !== null) found.unused.push({ name, reason });
    }
  }
  const { keys, unused } = found;
  const listed = new Set<string>();
  for (const { family, value } of found.rest) {
    if ([...keys.values()].includes(value)) continue;
    const name = freeName(family, 1, (taken) => keys.has(taken));
    if (name === null) continue;
    keys.set(name, value);
    listed.add(name);
  }
  const ordered = [...keys].sort(([a], [b]) => compareNames(a, b));
  return { keys: new Map(ordered), listed, unused };
}

/**
 * What the environment adds to a store: names that the store lacks, and the further values of a
 * list under the numbers that are free in both.
 *
 * @param isStored asked name by name
 */
export function keysBeside(
  environment: EnvironmentKeys,
  isStored: (name: string) => boolean,
): ReadonlyMap<string, string> {
  const added = new Map<string, string>();
  const { keys, listed } = environment;
  for (const [name, value] of keys)
    if (!isStored(name) && !listed.has(name)) added.set(name, value);
  for (const written of listed) {
    const value = keys.get(written);
    const provider = poolName(written)?.provider;
    if (value === undefined || provider === undefined) continue;
    const isTaken = (name: string): boolean => isStored(name) || added.has(name) || keys.has(name);
    const name = isStored(written) ? freeName(FAMILIES[provider], 1, isTaken) : written;
    if (name !== null) added.set(name, value);
  }
  return added;
}
