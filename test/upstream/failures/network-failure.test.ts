import { AssertionError } from 'node:assert';
import { describe, expect, it } from 'vitest';
import type { FailureKind } from '../../../src/base/errors.ts';
import { diagnoseNetwork } from '../../../src/upstream/failures/network-failure.ts';
import { upstreamError } from '../../../src/upstream/failures/sentences.ts';
import { TooLargeError } from '../../../src/upstream/wire/body.ts';
import { ForeignHostError } from '../../../src/upstream/wire/http.ts';
import { refusedByProxy } from '../../../src/upstream/wire/proxy-error.ts';

function socketError(code: string, extra: object = {}): Error {
  return new Error('wrapped', { cause: Object.assign(new Error('x'), { code }, extra) });
}

const SOCKETS: ReadonlyArray<readonly [string, unknown, FailureKind, string | null]> = [
  ['refused', socketError('ECONNREFUSED'), 'unreachable', 'refused'],
  ['unknown host', socketError('ENOTFOUND'), 'unreachable', 'dns'],
  ['resolver in trouble', socketError('EAI_AGAIN'), 'unreachable', 'dns'],
  [
    'self-signed certificate',
    socketError('DEPTH_ZERO_SELF_SIGNED_CERT'),
    'unreachable',
    'certificate',
  ],
  ['unknown issuer', socketError('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), 'unreachable', 'certificate'],
  ['expired certificate', socketError('CERT_HAS_EXPIRED'), 'unreachable', 'certificate'],
  [
    'certificate of another host',
    socketError('ERR_TLS_CERT_ALTNAME_INVALID'),
    'unreachable',
    'certificate',
  ],
  [
    'no TLS on the other side',
    socketError('ERR_SSL_WRONG_VERSION_NUMBER'),
    'unreachable',
    'certificate',
  ],
  ['connect time-out', socketError('UND_ERR_CONNECT_TIMEOUT'), 'unreachable', 'timeout'],
  [
    'connect time-out of the system',
    socketError('ETIMEDOUT', { syscall: 'connect' }),
    'unreachable',
    'timeout',
  ],
  [
    'reset while connecting',
    socketError('ECONNRESET', { syscall: 'connect' }),
    'unreachable',
    'network',
  ],
  ['network down', socketError('ENETUNREACH'), 'unreachable', 'network'],
  ['reset after sending', socketError('ECONNRESET', { syscall: 'read' }), 'connection_lost', null],
  [
    'silence of the network after sending',
    socketError('ETIMEDOUT', { syscall: 'read' }),
    'connection_lost',
    null,
  ],
  ['closed by the other side', socketError('UND_ERR_SOCKET'), 'connection_lost', null],
  ['no more open files', socketError('EMFILE'), 'local_shortage', null],
  ['no more ports', socketError('EADDRNOTAVAIL', { syscall: 'connect' }), 'local_shortage', null],
  ['no HTTP', socketError('HPE_INVALID_CONSTANT'), 'malformed', null],
  ['broken compression', socketError('Z_DATA_ERROR'), 'malformed', null],
  ['endless', new TooLargeError(), 'malformed', null],
  ['another host', new ForeignHostError(), 'redirect', null],
];

const PROXY = { address: 'proxy.example:3128', setting: 'HTTPS_PROXY' };

describe('an error instead of an answer', () => {
  it.each(SOCKETS)('%s', (_name, error, kind, unreachable) => {
    expect(diagnoseNetwork(error)).toMatchObject({ failure: { kind }, unreachable });
  });

  it('may be billed only when the request was sent', () => {
    expect(diagnoseNetwork(socketError('ECONNREFUSED')).failure.mayBeBilled).toBe(false);
    expect(diagnoseNetwork(socketError('EMFILE')).failure.mayBeBilled).toBe(false);
    expect(diagnoseNetwork(socketError('UND_ERR_SOCKET')).failure.mayBeBilled).toBe(true);
  });

  it('may be billed when what came cannot be read', () => {
    const queued = { status: 200, mayBeBilled: false } as const;
    const unreadable = diagnoseNetwork(socketError('Z_DATA_ERROR'), queued).failure;
    expect(unreadable).toMatchObject({ kind: 'malformed', mayBeBilled: true });
    const lost = diagnoseNetwork(socketError('ECONNRESET'), queued).failure;
    expect(lost).toMatchObject({ kind: 'connection_lost', mayBeBilled: false });
  });

  it('of a proxy is told as the proxy’s, by its address and the setting', () => {
    const wrapped = new Error('x', { cause: refusedByProxy(PROXY, 'api.deepseek.com:443', 403) });
    const found = diagnoseNetwork(wrapped);
    expect(found.failure).toMatchObject({ kind: 'proxy', mayBeBilled: false });
    const error = upstreamError(found, {
      provider: 'deepseek',
      keyName: 'DEEPSEEK_API_KEY',
      model: 'deepseek-flash',
      callTimeoutMs: 1_000,
      idleTimeoutMs: 1_000,
    });
    expect(error.message).toBe(
      'DeepSeek could not be reached: the proxy proxy.example:3128 (HTTPS_PROXY) does not let connections to api.deepseek.com:443 through (403)',
    );
    expect(error.hint).toBe('Check HTTPS_PROXY, or exempt the host with NO_PROXY');
  });

  it('of a proxy that may be over in a moment is worth another try', () => {
    const kinds = [502, 504, 403, 407].map(
      (status) => diagnoseNetwork(refusedByProxy(PROXY, 'x:443', status)).failure.kind,
    );
    expect(kinds).toEqual(['unreachable', 'unreachable', 'proxy', 'proxy']);
  });

  it.each([
    new TypeError('this[S].connect is not a function'),
    new RangeError('x'),
    new AssertionError({ message: 'x' }),
    Object.assign(new Error('x'), { code: 'UND_ERR_INVALID_ARG' }),
    new Error('wrapped', { cause: new TypeError('x') }),
  ])('that is a bug is no network’s: %s', (bug) => {
    expect(() => diagnoseNetwork(bug)).toThrow(bug);
  });
});
