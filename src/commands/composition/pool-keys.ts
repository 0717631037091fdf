/** Which keys the pool gets: the store's entries first, then what the environment adds. */

import type { Provider } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { POOL_KEY_NAME } from '../../config.ts';
import type { PoolKey } from '../../pool/lease.ts';
import type { KeyStore } from '../../secrets/key-store.ts';
import { compareNames } from '../../secrets/names.ts';

/** Printable ASCII without white space: what can stand in an Authorization header. */
const USABLE_VALUE = /^[\x21-\x7e]+$/;

export function providerOf(name: string): Provider | null {
  const family = POOL_KEY_NAME.exec(name)?.[1];
  if (family === undefined) return null;
  return family === 'DEEPSEEK' ? 'deepseek' : 'perplexity';
}

function candidates(
  store: Pick<KeyStore, 'list' | 'get'> | null,
  environmentKeys: ReadonlyMap<string, string>,
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
  for (const [name, value] of environmentKeys) add(name, () => value, null);
  return [...found.values()].sort((a, b) => compareNames(a.name, b.name));
}

/**
 * The pool's keys, in the order of their numbers. A value that stands under two names is one key,
 * the first; a value that cannot be sent is left out. Both are logged, by name.
 */
export function poolKeys(
  store: Pick<KeyStore, 'list' | 'get'> | null,
  environmentKeys: ReadonlyMap<string, string>,
  logger: Logger,
): PoolKey[] {
  const byValue = new Map<string, PoolKey>();
  for (const key of candidates(store, environmentKeys)) {
    if (!USABLE_VALUE.test(key.secret)) {
      logger.warn(`${key.name} is left out: its value has spaces or characters that no key has`, {
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
