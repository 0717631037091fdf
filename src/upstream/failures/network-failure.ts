/** An error that came instead of an answer, or in the middle of one → what went wrong. */

import { AssertionError } from 'node:assert';
import type { Failure } from '../../base/errors.ts';
import { TooLargeError } from '../wire/body.ts';
import { isShortage } from '../wire/connector.ts';
import { ForeignHostError } from '../wire/http.ts';
import { ProxyError } from '../wire/proxy-error.ts';
import { type Diagnosis, diagnosis, type UnreachableCause } from './failure.ts';

/** Codes under which nothing of the request can have reached the upstream. */
const UNREACHABLE: ReadonlyArray<readonly [RegExp, UnreachableCause]> = [
  [/^(ENOTFOUND|EAI_\w+|EDNS\w*)$/, 'dns'],
  [/^ECONNREFUSED$/, 'refused'],
  [/^UND_ERR_CONNECT_TIMEOUT$/, 'timeout'],
  [/CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET)|^ERR_(SSL|TLS)_|^EPROTO$|^CRL_/, 'certificate'],
  [/^(EHOSTUNREACH|ENETUNREACH|ENETDOWN|EACCES|EPERM)$/, 'network'],
];

/** The error and everything under it, however deep it was wrapped. */
function chain(error: unknown, depth = 0): Error[] {
  if (!(error instanceof Error) || depth > 8) return [];
  return [error, ...chain(error.cause, depth + 1)];
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : '';
}

/** What code raises that was written wrongly, ours or a dependency's; no network ever does. */
function isBug(error: Error): boolean {
  return (
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof ReferenceError ||
    error instanceof AssertionError ||
    /^UND_ERR_(INVALID_ARG|INVALID_RETURN_VALUE|NOT_SUPPORTED)$/.test(codeOf(error))
  );
}

function unreachableCause(errors: readonly Error[]): Diagnosis['unreachable'] {
  for (const error of errors) {
    if (error instanceof ProxyError) return error;
    if (/before secure TLS connection/.test(error.message)) return 'network';
    const code = codeOf(error);
    const row = UNREACHABLE.find(([pattern]) => pattern.test(code));
    if (row !== undefined) return row[1];
    // The same codes come from reading, when the request is long gone.
    const isConnecting = 'syscall' in error && error.syscall === 'connect';
    if (isConnecting && code === 'ETIMEDOUT') return 'timeout';
    if (isConnecting && code === 'ECONNRESET') return 'network';
  }
  return null;
}

/** The bytes that came were no HTTP, no gzip, or no end of them. */
function isMalformed(errors: readonly Error[]): boolean {
  return errors.some(
    (error) => error instanceof TooLargeError || /^(HPE_|Z_|ERR__ERROR_FORMAT)/.test(codeOf(error)),
  );
}

/**
 * @param known what was learnt before it broke; a status means that headers had arrived
 * @throws the error itself when it is no network's but a bug
 */
export function diagnoseNetwork(error: unknown, known: Partial<Failure> = {}): Diagnosis {
  const errors = chain(error);
  if (errors.length === 0 || errors.some(isBug)) throw error;
  if (errors.some((each) => each instanceof ForeignHostError)) {
    return diagnosis('redirect', known);
  }
  const hasAnswer = known.status !== undefined && known.status !== null;
  if (!hasAnswer) {
    if (errors.some(isShortage)) return diagnosis('local_shortage');
    const unreachable = unreachableCause(errors);
    const isLasting = unreachable instanceof ProxyError && !unreachable.isPassing;
    if (unreachable !== null) {
      return { ...diagnosis(isLasting ? 'proxy' : 'unreachable'), unreachable };
    }
  }
  // Somebody made what nobody can read.
  if (isMalformed(errors)) return diagnosis('malformed', { ...known, mayBeBilled: true });
  // Sent and unanswered: nobody can tell whether it was worked on.
  return diagnosis('connection_lost', { mayBeBilled: !hasAnswer, ...known });
}
