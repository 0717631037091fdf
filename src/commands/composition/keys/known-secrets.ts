/** Everything that must never be shown, for the redactor: what is configured, what is stored. */

import type { Redactor } from '../../../base/redact.ts';
import type { Config } from '../../../config.ts';
import type { KeyStore } from '../../../secrets/key-store.ts';
import { proxySecrets } from '../../../upstream/wire/proxy.ts';

function configuredSecrets(config: Config): string[] {
  const { masterKey, environmentKeys, httpToken, proxy, sharing } = config;
  const redisPassword = sharing.redis?.address.password ?? null;
  return [
    ...(masterKey.value === null ? [] : [masterKey.value.text]),
    ...environmentKeys.keys.values(),
    ...(httpToken.text === null ? [] : [httpToken.text]),
    ...(redisPassword === null ? [] : [redisPassword]),
    ...proxySecrets(proxy),
  ];
}

/** Called whenever the configuration was read. */
export function useConfiguration(redactor: Redactor, config: Config): void {
  redactor.use('configuration', configuredSecrets(config));
}

/** Called whenever the store was read: secrets outside the pool as well, and what opens it. */
export function useStore(redactor: Redactor, store: KeyStore): void {
  redactor.use(`store ${store.path}`, store.sensitiveValues());
}
