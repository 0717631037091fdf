/** The Redis of the configuration, with what stands in its files. */

import { ConfigError, DiskError } from '../../../base/errors.ts';
import type { Redactor } from '../../../base/redact.ts';
import type { Config } from '../../../config.ts';
import { readWholeFile } from '../../../disk/read-file.ts';
import type { RedisServer } from '../../../sharing/redis/redis-connection.ts';

type RedisSettings = NonNullable<Config['sharing']['redis']>;

const MAX_BYTES = 256 * 1024;

async function textOf(path: string | null, variable: string): Promise<string | null> {
  if (path === null) return null;
  try {
    const { bytes } = await readWholeFile(path, MAX_BYTES);
    return bytes.toString('utf8').trim();
  } catch (cause) {
    const why = cause instanceof DiskError ? cause.message : 'it cannot be read';
    throw new ConfigError(`${variable}: ${why}`, { cause, hint: `check ${variable}` });
  }
}

/**
 * The password is known to the redactor from here on.
 *
 * @throws ConfigError for a file that cannot be read
 */
export async function redisServer(
  settings: RedisSettings,
  redactor: Redactor,
): Promise<RedisServer> {
  const { address, passwordFile, caFile, certificateFile, keyFile } = settings;
  const password = await textOf(passwordFile, 'KEYPOOL_REDIS_PASSWORD_FILE');
  const key = await textOf(keyFile, 'KEYPOOL_REDIS_KEY_FILE');
  redactor.use(
    'Redis',
    [password, key].flatMap((secret) => (secret === null || secret === '' ? [] : [secret])),
  );
  const { tls, password: inAddress, ...rest } = address;
  return {
    ...rest,
    password: password ?? inAddress,
    tls: tls
      ? {
          ca: await textOf(caFile, 'KEYPOOL_REDIS_CA_FILE'),
          certificate: await textOf(certificateFile, 'KEYPOOL_REDIS_CERT_FILE'),
          key,
        }
      : null,
  };
}
