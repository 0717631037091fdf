/** Which keys the pool gets: the store's entries first, then what the environment adds. */

import { type EnvironmentKeys, keysBeside } from '../../../base/keys/environment-keys.ts';
import { compareNames, nameProblem, providerOf } from '../../../base/keys/key-names.ts';
import { valueProblem } from '../../../base/keys/key-values.ts';
import type { Logger } from '../../../base/logger.ts';
import type { PoolKey } from '../../../pool/lease.ts';
import type { KeyStore } from '../../../secrets/key-store.ts';

function candidates(
  store: Pick<KeyStore, 'list' | 'get' | 'has'> | null,
  environment: EnvironmentKeys,
): PoolKey[] {
  const found = new Map<string, PoolKey>();
  const add = (name: string, secret: () => string, account: string | null): void => {
    const provider = providerOf(name);
    if (provider === null || found.has(name)) return;
    found.set(name, { provider, name, account, secret: secret() });
  };
  for (const { name, account } of store?.list() ?? []) {
    add(name, () => store?.get(name) ?? '', account);
  }
  const beside = keysBeside(environment, (name) => store?.has(name) ?? false);
  for (const [name, value] of beside) add(name, () => value, null);
  return [...found.values()].sort((a, b) => compareNames(a.name, b.name));
}

/**
 * The pool's keys, in the order of their numbers. A value that stands under two names is one key,
 * the first; a value or name that is not usable is left out. All are logged, by name.
 */
export function poolKeys(
  store: Pick<KeyStore, 'list' | 'get' | 'has'> | null,
  environment: EnvironmentKeys,
  logger: Logger,
): PoolKey[] {
  for (const { name, reason } of environment.unused) {
    logger.warn(`${name} of the environment is not used: ${reason}`);
  }
  for (const { name } of store?.list() ?? []) {
    const problem = nameProblem(name);
    if (problem === null) continue;
    logger.warn(`${name} is left out: ${problem}`, { next: 'keypool-mcp keys rename' });
  }
  const byValue = new Map<string, PoolKey>();
  for (const key of candidates(store, environment)) {
    const problem = valueProblem(key.name, key.secret);
    if (problem !== null) {
      logger.warn(`${key.name} is left out: ${problem}`, {
        next: `keypool-mcp keys add ${key.name}`,
      });
      continue;
    }
    const same = byValue.get(key.secret);
    if (same === undefined) byValue.set(key.secret, key);
    else logger.warn(`${key.name} is the same key as ${same.name} and is left out`);
  }
  return [...byValue.values()];
}
