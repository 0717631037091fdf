/** Looks whether a Redis does for sharing: reachable, with the rights that it takes, and how quick. */

import type { Problem } from '../link-state.ts';
import { newNonce } from '../nonce.ts';
import { replaceCell, StrangeReply } from './cell.ts';
import { redisProblem } from './problem.ts';
import { nameOf, openRedis, type RedisClient, type RedisServer } from './redis-connection.ts';

/** Nobody waits longer for an answer. */
const QUICK_MS = 50;
/** What was written for the look goes by itself. */
const KEPT_MS = 1_000;

export type RedisFinding =
  | {
      readonly name: string;
      /** Null where the user may not ask. */
      readonly version: string | null;
      /** Of the slowest of a few. */
      readonly roundTripMs: number;
      /** Quicker than anybody would wait. */
      readonly isQuick: boolean;
    }
  | { readonly problem: Problem };

async function versionOf(client: RedisClient): Promise<string | null> {
  const info = await client.call('INFO', ['server']).catch(() => null);
  const [, server, version] =
    /\n(redis|valkey)_version:([\w.-]{1,20})/.exec(typeof info === 'string' ? info : '') ?? [];
  return version === undefined ? null : `${server === 'valkey' ? 'Valkey' : 'Redis'} ${version}`;
}

async function look(client: RedisClient, name: string): Promise<RedisFinding> {
  const key = `kp1:{look-${newNonce()}}`;
  let seen = '';
  let roundTripMs = 0;
  for (let round = 0; round < 4; round++) {
    const askedAt = performance.now();
    seen = (await replaceCell(client, key, seen, 'look', KEPT_MS)).generation;
    // The first one loads the script.
    if (round > 0) roundTripMs = Math.max(roundTripMs, performance.now() - askedAt);
  }
  return { name, version: await versionOf(client), roundTripMs, isQuick: roundTripMs < QUICK_MS };
}

export async function inspectRedis(server: RedisServer): Promise<RedisFinding> {
  const client = openRedis(server);
  const name = nameOf(server);
  let connectError: unknown = null;
  client.on('error', (error) => {
    connectError = error;
  });
  try {
    await client.connect();
    return await look(client, name);
  } catch (error) {
    if (error instanceof StrangeReply) {
      return {
        problem: {
          reason: `the Redis at ${name} answers nonsense`,
          next: 'check KEYPOOL_REDIS_URL',
        },
      };
    }
    const isClosed = error instanceof Error && /closed|writeable/i.test(error.message);
    return { problem: redisProblem(isClosed ? (connectError ?? error) : error, name) };
  } finally {
    client.disconnect();
  }
}
