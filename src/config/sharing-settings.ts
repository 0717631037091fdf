/** Whether, and how, processes share what they know of the accounts. */

import { resolve } from 'node:path';
import { ConfigError } from '../base/errors.ts';
import { isProtected, type RedisAddress, redisAddress } from './redis-address.ts';
import type { Settings } from './settings.ts';

export interface RedisSettings {
  readonly address: RedisAddress;
  /** What is in it comes before a password in the address. */
  readonly passwordFile: string | null;
  readonly caFile: string | null;
  readonly certificateFile: string | null;
  readonly keyFile: string | null;
}

export interface SharingSettings {
  readonly isOn: boolean;
  /** null: on this machine alone. */
  readonly redis: RedisSettings | null;
}

const OFF = ['off', 'false', '0', 'no'];
const ON = ['auto', 'on', 'true', '1', 'yes'];

function isOn(settings: Settings): boolean {
  const word = settings.get('KEYPOOL_SHARING')?.toLowerCase() ?? 'auto';
  if (ON.includes(word) || OFF.includes(word)) return ON.includes(word);
  throw new ConfigError('KEYPOOL_SHARING has to be auto or off', {
    hint: 'correct it or leave it out; the default is auto',
  });
}

function fileOf(settings: Settings, variable: string): string | null {
  const path = settings.get(variable);
  return path === undefined ? null : resolve(path);
}

function redisSettings(settings: Settings): RedisSettings | null {
  const text = settings.get('KEYPOOL_REDIS_URL');
  if (text === undefined) return null;
  const address = redisAddress(text);
  if (!isProtected(address) && !settings.isOn('KEYPOOL_REDIS_PLAINTEXT', 'off')) {
    throw new ConfigError('KEYPOOL_REDIS_URL leads over a network without TLS', {
      hint: 'use rediss://; on a network that is yours alone, set KEYPOOL_REDIS_PLAINTEXT=on',
    });
  }
  const certificateFile = fileOf(settings, 'KEYPOOL_REDIS_CERT_FILE');
  const keyFile = fileOf(settings, 'KEYPOOL_REDIS_KEY_FILE');
  if ((certificateFile === null) !== (keyFile === null)) {
    throw new ConfigError('KEYPOOL_REDIS_CERT_FILE and KEYPOOL_REDIS_KEY_FILE belong together', {
      hint: 'set both, or neither',
    });
  }
  return {
    address,
    passwordFile: fileOf(settings, 'KEYPOOL_REDIS_PASSWORD_FILE'),
    caFile: fileOf(settings, 'KEYPOOL_REDIS_CA_FILE'),
    certificateFile,
    keyFile,
  };
}

/** @throws ConfigError naming the variable, never its value */
export function sharingSettings(settings: Settings): SharingSettings {
  const on = isOn(settings);
  return { isOn: on, redis: on ? redisSettings(settings) : null };
}
