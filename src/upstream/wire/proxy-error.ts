/** What can be wrong between here and the other side of a proxy, in words that name the proxy. */

/** The part of a proxy that may be shown. */
export interface ProxyName {
  /** `proxy.example:3128`: nothing of a user or a password. */
  readonly address: string;
  /** The variable that names it. */
  readonly setting: string;
}

export type ProxyProblem =
  | 'unusable' // the setting is no proxy's address
  | 'unsupported' // it is one of a kind that is not spoken here
  | 'unreachable' // no connection to the proxy
  | 'untrusted' // its own certificate
  | 'silent' // connected, and no answer in time
  | 'login' // it asks for a user and a password, or for other ones
  | 'refused' // it does not let this connection through
  | 'no_way' // it could not reach the other side
  | 'cut' // it closed the connection before that was open
  | 'foreign'; // whatever answered speaks another protocol

/** What may be over in a moment; with the rest, trying again only takes time. */
const PASSING: ReadonlySet<ProxyProblem> = new Set<ProxyProblem>(['unreachable', 'no_way', 'cut']);

/** Message and hint are for people, and hold nothing of the proxy's but address and status. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  readonly problem: ProxyProblem;
  /** The next step, without a final period. */
  readonly hint: string;

  constructor(problem: ProxyProblem, message: string, hint: string, cause?: unknown) {
    super(message, { cause });
    this.problem = problem;
    this.hint = hint;
  }

  get isPassing(): boolean {
    return PASSING.has(this.problem);
  }
}

function who({ address, setting }: ProxyName): string {
  return `the proxy ${address} (${setting})`;
}

/** Or the host is exempt: the other way out of every trouble with a proxy. */
function check({ setting }: ProxyName): string {
  return `Check ${setting}, or exempt the host with NO_PROXY`;
}

export function silentProxy(proxy: ProxyName, ms: number): ProxyError {
  const message = `${who(proxy)} did not answer within ${ms / 1000} s`;
  return new ProxyError('silent', message, check(proxy));
}

export function cutByProxy(proxy: ProxyName, cause?: unknown): ProxyError {
  const message = `${who(proxy)} closed the connection before it was open`;
  return new ProxyError('cut', message, check(proxy), cause);
}

function shown(status: number | undefined): string {
  return status === undefined ? '' : ` (${status})`;
}

export function badLogin(proxy: ProxyName, hasLogin: boolean, status?: number): ProxyError {
  const [message, hint] = hasLogin
    ? [
        `${who(proxy)} does not accept the user and password that it was given${shown(status)}`,
        `Correct them in ${proxy.setting}, with special characters percent-encoded`,
      ]
    : [
        `${who(proxy)} asks for a user and a password${shown(status)}`,
        `Write them into ${proxy.setting}, as in http://user:password@${proxy.address}`,
      ];
  return new ProxyError('login', message, hint);
}

/** It would let the connection through, and found no way. @param target `api.deepseek.com:443` */
export function lostByProxy(proxy: ProxyName, target: string, status?: number): ProxyError {
  const message = `${who(proxy)} could not reach ${target}${shown(status)}`;
  return new ProxyError('no_way', message, check(proxy));
}

export function refusedByProxy(proxy: ProxyName, target: string, status?: number): ProxyError {
  if (status !== undefined && status >= 500) return lostByProxy(proxy, target, status);
  const message = `${who(proxy)} does not let connections to ${target} through${shown(status)}`;
  return new ProxyError('refused', message, check(proxy));
}

export function foreignProxy(proxy: ProxyName, cause?: unknown): ProxyError {
  const message = `${who(proxy)} does not speak the protocol that its address names`;
  const hint = `Check that ${proxy.setting} has the right port, and the right http://, https:// or socks5:// in front`;
  return new ProxyError('foreign', message, hint, cause);
}

const UNREACHABLE: ReadonlyArray<readonly [RegExp, string]> = [
  [/^ECONNREFUSED$/, 'the connection was refused'],
  [/^(ENOTFOUND|EAI_\w+)$/, 'its host name was not found'],
  [/^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENETDOWN|EACCES|EPERM)$/, 'no connection came about'],
];

/** The code of the error, or of the first of those it was made of (an address of each family). */
function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code);
  return error instanceof AggregateError ? codeOf(error.errors[0]) : '';
}

/**
 * What a socket's or a parser's error means on the way to the proxy's answer; the error itself
 * where the fault is not the proxy's: a shortage on this machine, or a bug.
 */
export function brokenProxy(proxy: ProxyName, error: unknown): unknown {
  if (error instanceof ProxyError) return error;
  const code = codeOf(error);
  const [, why] = UNREACHABLE.find(([pattern]) => pattern.test(code)) ?? [];
  if (why !== undefined) {
    const message = `${who(proxy)} could not be reached: ${why}`;
    return new ProxyError('unreachable', message, check(proxy), error);
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET)/.test(code)) {
    const message = `the certificate of ${who(proxy)} is not trusted here`;
    const hint = 'Point NODE_EXTRA_CA_CERTS at the certificate of the CA that signed it';
    return new ProxyError('untrusted', message, hint, error);
  }
  if (/^(HPE_|EPROTO$|ERR_SSL_|ERR_TLS_)/.test(code)) return foreignProxy(proxy, error);
  return /^(ECONNRESET|EPIPE|ECONNABORTED)$/.test(code) ? cutByProxy(proxy, error) : error;
}

/** An error of the TLS handshake inside the tunnel: a certificate's is the upstream's business. */
export function brokenTunnel(proxy: ProxyName, error: unknown, ms: number): unknown {
  const code = codeOf(error);
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return silentProxy(proxy, ms);
  return /^(ECONNRESET|EPIPE|ETIMEDOUT)$/.test(code) ? cutByProxy(proxy, error) : error;
}
