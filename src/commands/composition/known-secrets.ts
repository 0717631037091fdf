/** Everything that must never be shown, for the redactor: what is configured, what is stored. */

import type { Redactor } from '../../base/redact.ts';
import type { Config } from '../../config.ts';
import type { KeyStore } from '../../secrets/key-store.ts';

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The password in an address, as it is written and as it is meant; user names are no secret. */
function passwordOf(address: string | null): string[] {
  const text = address?.includes('://') === false ? `http://${address}` : address;
  if (text === null || !URL.canParse(text)) return [];
  const { password } = new URL(text);
  return [password, decoded(password)];
}

function configuredSecrets({ masterKey, environmentKeys, httpToken, proxy }: Config): string[] {
  return [
    ...(masterKey.value === null ? [] : [masterKey.value.text]),
    ...environmentKeys.keys.values(),
    ...(httpToken.text === null ? [] : [httpToken.text]),
    ...passwordOf(proxy.httpProxy),
    ...passwordOf(proxy.httpsProxy),
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
