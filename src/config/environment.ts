/** The variables that the program was started with. */

import { isPoolVariable } from '../base/keys/environment-keys.ts';
import { isUnset } from '../base/keys/key-values.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The value without surrounding white space; undefined when a client or a template left it open. */
export function presentValue(raw: string | undefined): string | undefined {
  const value = raw?.trim();
  return value === undefined || isUnset(value) ? undefined : value;
}

const SECRETS = new Set([
  'MASTER_ENCRYPTION_KEY',
  'ENCRYPTION_KEY',
  'KEYPOOL_HTTP_TOKEN',
  'KEYPOOL_REDIS_URL',
]);

/** Whether a variable holds a secret of ours, or an address with a password in it. */
export function isSecretVariable(name: string, value: string): boolean {
  if (SECRETS.has(name) || isPoolVariable(name)) return true;
  return /_PROXY$/i.test(name) && value.includes('@');
}
