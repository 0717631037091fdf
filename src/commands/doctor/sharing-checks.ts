/** What `doctor` says of sharing limits with other processes. */

import { ConfigError, DiskError } from '../../base/errors.ts';
import type { Config } from '../../config.ts';
import { resolveLinks } from '../../disk/links.ts';
import { lookAt, type Seen } from '../../sharing/local/look.ts';
import { runFolder } from '../../sharing/local/place.ts';
import { secrets } from '../command.ts';
import { redisServer } from '../composition/sharing/redis-server.ts';
import { type Finding, ok } from './finding.ts';

const check = 'sharing';

const SEEN: Readonly<Record<Seen, Omit<Finding, 'check'>>> = {
  nobody: {
    status: 'ok',
    message: 'programs of this home share their limits; none runs',
    hint: '',
  },
  somebody: {
    status: 'ok',
    message: 'programs of this home share their limits; one coordinates',
    hint: '',
  },
  silent: {
    status: 'warn',
    message: 'the program that coordinates does not answer',
    hint: 'if one of them is stopped, let it go on; another one takes over by itself',
  },
  stranger: {
    status: 'warn',
    message: 'another program answers where the programs of this home meet',
    hint: 'end it, or set KEYPOOL_SHARING=off',
  },
};

function asFinding(error: unknown): Finding {
  if (!(error instanceof DiskError || error instanceof ConfigError)) throw error;
  return {
    check,
    status: 'warn',
    message: `programs cannot share their limits: ${error.message}`,
    hint: error.hint,
  };
}

async function redisFinding(settings: NonNullable<Config['sharing']['redis']>): Promise<Finding> {
  const { inspectRedis } = await import('../../sharing/redis/inspect.ts');
  const found = await inspectRedis(await redisServer(settings, secrets));
  if ('problem' in found) {
    const { reason, next } = found.problem;
    return { check, status: 'fail', message: reason, hint: next || 'check KEYPOOL_REDIS_URL' };
  }
  const { name, version, roundTripMs, isQuick } = found;
  const message = `${version ?? 'the server'} at ${name} answers in ${roundTripMs.toFixed(1)} ms`;
  if (isQuick) return ok(check, message);
  return { check, status: 'warn', message, hint: 'nobody waits so long: use one that is nearer' };
}

/** Where programs meet that use the same accounts. */
export async function checkSharing(config: Config): Promise<Finding[]> {
  const { isOn, redis } = config.sharing;
  if (!isOn) return [ok(check, 'off (KEYPOOL_SHARING)')];
  try {
    if (redis !== null) return [await redisFinding(redis)];
    const storePath = await resolveLinks(config.storePath);
    return [{ check, ...SEEN[await lookAt(runFolder(config.home), storePath)] }];
  } catch (error) {
    return [asFinding(error)];
  }
}
