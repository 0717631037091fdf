/** What a Redis, or the way to it, has against us, in our words. */

import { systemCode } from '../../base/system/system-error.ts';
import type { Problem } from '../link-state.ts';

interface Saying {
  readonly pattern: RegExp;
  /** After "the Redis at HOST:PORT". */
  readonly what: string;
  readonly next: string;
}

const PASSWORD =
  'put the password into a file that KEYPOOL_REDIS_PASSWORD_FILE names, or user and password into KEYPOOL_REDIS_URL';
const RIGHTS = 'allow the user EVAL, EVALSHA, HGET, HSET, PEXPIRE and TIME on keys kp1:*';

/** The first words of an error reply are its code; the rest is for people, and is not repeated. */
const SAYINGS: readonly Saying[] = [
  { pattern: /^NOAUTH|without any password/, what: 'wants a password', next: PASSWORD },
  {
    pattern: /^WRONGPASS|invalid password|invalid username/i,
    what: 'refuses the password',
    next: PASSWORD,
  },
  {
    pattern: /^NOPERM|can't run this command|no permissions/i,
    what: 'does not allow its scripts',
    next: RIGHTS,
  },
  {
    pattern: /unknown command/i,
    what: 'knows no EVAL',
    next: 'use a Redis or Valkey of version 5 or later that does not block EVAL',
  },
  {
    pattern: /^READONLY|read only replica/i,
    what: 'is a read-only replica',
    next: 'name the server that is written to, or use redis-sentinel://',
  },
  {
    pattern: /^OOM/,
    what: 'is out of memory',
    next: 'raise maxmemory, or give it an eviction policy',
  },
  {
    pattern: /^MISCONF/,
    what: 'cannot write to its disk, and refuses to be written to',
    next: 'look into its log',
  },
  {
    pattern: /^(?:MOVED|ASK|CROSSSLOT)\b/,
    what: 'is a cluster',
    next: 'write redis-cluster:// or rediss-cluster:// in KEYPOOL_REDIS_URL',
  },
  {
    pattern:
      /^(?:CLUSTERDOWN|TRYAGAIN|MASTERDOWN|LOADING|BUSY)\b|failed to refresh slots|too many cluster redirections|cluster support disabled/i,
    what: 'is not ready',
    next: '',
  },
  {
    pattern: /DB index is out of range|invalid DB index/i,
    what: 'has no database of that number',
    next: 'correct the end of KEYPOOL_REDIS_URL',
  },
  {
    pattern: /all sentinels are unreachable|sentinel/i,
    what: 'is a sentinel that does not know the server',
    next: 'check the name in KEYPOOL_REDIS_URL',
  },
  {
    pattern: /protocol error|reply type byte|unknown RESP type/i,
    what: 'is no Redis: it answers something else',
    next: 'check KEYPOOL_REDIS_URL',
  },
];

const HUNG_UP = 'it hangs up';
/** Slow, silent or frozen: whoever waits cannot tell. */
export const LATE = 'does not answer in time';

const NETWORK: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'the name cannot be looked up',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  ECONNRESET: HUNG_UP,
  EPIPE: HUNG_UP,
};

const CERTIFICATE = /^(?:CERT_|ERR_TLS|ERR_SSL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_|EPROTO)/;

/**
 * @param error what the client said
 * @param name the server's, as `nameOf` gives it
 */
export function redisProblem(error: unknown, name: string): Problem {
  const text = error instanceof Error ? error.message : '';
  const saying = SAYINGS.find(({ pattern }) => pattern.test(text));
  if (saying !== undefined)
    return { reason: `the Redis at ${name} ${saying.what}`, next: saying.next };
  const code = systemCode(error);
  if (CERTIFICATE.test(code)) {
    return {
      reason: `the Redis at ${name} cannot be trusted, or speaks no TLS (${code})`,
      next: 'set KEYPOOL_REDIS_CA_FILE to the certificate of who signed for it',
    };
  }
  if (code === 'ETIMEDOUT' || /timed out|timeout/i.test(text)) {
    return { reason: `the Redis at ${name} ${LATE}`, next: '' };
  }
  const why = NETWORK[code] ?? code;
  const isKnown = why !== undefined && why !== '';
  return {
    reason: `the Redis at ${name} cannot be reached${isKnown ? `: ${why}` : ''}`,
    next: '',
    // A connection that has just ended; the next attempt tells more.
    isPassing: !isKnown || why === HUNG_UP,
  };
}
