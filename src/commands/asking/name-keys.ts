/** Under which names keys are stored that were given for a provider, and not by name. */

import type { Provider } from '../../base/errors.ts';
import { FAMILIES, freeName } from '../../base/keys/key-names.ts';
import { type Environment, type GlobalFlags, loadConfig } from '../../config.ts';
import type { NewSecret } from '../../secrets/store/put-secrets.ts';

/**
 * Each value under the name that it has already, or under the next free number.
 *
 * @param held name → value in the store
 */
export function nameKeys(
  provider: Provider,
  values: readonly string[],
  held: ReadonlyMap<string, string>,
  { flags, env }: { readonly flags: GlobalFlags; readonly env: Environment },
): NewSecret[] {
  const { keys: inEnvironment } = loadConfig(flags, env).environmentKeys;
  const names = new Map([...held].map(([name, value]) => [value, name]));
  const taken = new Set([...held.keys(), ...inEnvironment.keys()]);
  return values.flatMap((value) => {
    const name = names.get(value) ?? freeName(FAMILIES[provider], 1, (each) => taken.has(each));
    if (name === null) return [];
    taken.add(name);
    return [{ name, value }];
  });
}
