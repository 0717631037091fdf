/** Which proxy a request goes through, read from the settings that every program knows. */

import { isDirect, type Target } from './no-proxy.ts';
import { ProxyError } from './proxy-error.ts';

/** Values as somebody wrote them; null: not set. */
export interface ProxySettings {
  readonly httpsProxy: string | null;
  readonly allProxy: string | null;
  readonly httpProxy: string | null;
  readonly noProxy: string | null;
}

export interface ProxyServer {
  readonly kind: 'http' | 'https' | 'socks5';
  /** Without brackets, as a socket wants it. */
  readonly host: string;
  readonly port: number;
  readonly login: { readonly user: string; readonly password: string } | null;
  /** `proxy.example:3128`, and never more: what may be shown. */
  readonly address: string;
  /** The variable that names it. */
  readonly setting: string;
}

const KINDS: Readonly<
  Record<string, { readonly kind: ProxyServer['kind']; readonly port: number }>
> = {
  'http:': { kind: 'http', port: 80 },
  'https:': { kind: 'https', port: 443 },
  // The proxy looks the name up under each of them: this machine's name service may lie or be shut.
  'socks:': { kind: 'socks5', port: 1080 },
  'socks5:': { kind: 'socks5', port: 1080 },
  'socks5h:': { kind: 'socks5', port: 1080 },
};

function unusable(setting: string): ProxyError {
  return new ProxyError(
    'unusable',
    `${setting} is not the address of a proxy`,
    `Write it as http://host:port or http://user:password@host:port, with special characters in the password percent-encoded`,
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A per cent sign that encodes nothing stands for itself.
    return text;
  }
}

/** @throws ProxyError `unusable` or `unsupported` */
function parseProxy(raw: string, setting: string): ProxyServer {
  // `proxy.example:8080` means http, as it does for curl.
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(raw) ? raw : `http://${raw}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.hostname === '') throw unusable(setting);
  // An unencoded # or / in a password would make its beginning a host's name, and show it.
  if (/@/.test(`${url.pathname}${url.search}${url.hash}`)) throw unusable(setting);
  const known = KINDS[url.protocol];
  if (known === undefined) {
    throw new ProxyError(
      'unsupported',
      `${setting} names a kind of proxy that is not supported`,
      'Use a proxy of the kind http://, https://, socks5:// or socks5h://',
    );
  }
  const port = url.port === '' ? known.port : Number(url.port);
  if (port === 0) throw unusable(setting);
  const login =
    url.username === '' && url.password === ''
      ? null
      : { user: decoded(url.username), password: decoded(url.password) };
  return {
    kind: known.kind,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    login,
    address: `${url.hostname}:${port}`,
    setting,
  };
}

/** The one that is set for such a request; HTTP_PROXY serves https too, where nothing else does. */
function settingFor(
  { httpsProxy, allProxy, httpProxy }: ProxySettings,
  protocol: Target['protocol'],
): readonly [raw: string, setting: string] | null {
  const own = protocol === 'https:' ? httpsProxy : httpProxy;
  if (own !== null) return [own, protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'];
  if (allProxy !== null) return [allProxy, 'ALL_PROXY'];
  return protocol === 'https:' && httpProxy !== null ? [httpProxy, 'HTTP_PROXY'] : null;
}

/** @param url of http or https */
export function targetOf(url: string): Target {
  const { protocol, hostname, port } = new URL(url);
  const isTls = protocol === 'https:';
  const usual = isTls ? 443 : 80;
  return { protocol: isTls ? 'https:' : 'http:', hostname, port: Number(port) || usual };
}

/**
 * The proxy between here and there; null: none.
 *
 * @throws ProxyError when the setting that counts cannot be used
 */
export function proxyFor(settings: ProxySettings, target: Target): ProxyServer | null {
  const found = settingFor(settings, target.protocol);
  if (found === null) return null;
  const proxy = parseProxy(...found);
  return isDirect(target, settings.noProxy, proxy.host) ? null : proxy;
}

/** `Basic …`, as the proxy gets it. */
export function basicLogin({ user, password }: NonNullable<ProxyServer['login']>): string {
  return `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`;
}

/** Every form of every password in the settings, for the redactor. */
export function proxySecrets(settings: ProxySettings): string[] {
  const given = [
    [settings.httpsProxy, 'HTTPS_PROXY'],
    [settings.allProxy, 'ALL_PROXY'],
    [settings.httpProxy, 'HTTP_PROXY'],
  ] as const;
  return given.flatMap(([raw, setting]) => {
    if (raw === null) return [];
    try {
      const { login } = parseProxy(raw, setting);
      return login === null ? [] : [login.password, basicLogin(login).slice('Basic '.length)];
    } catch {
      // Who knows what part of it is the secret.
      return raw.includes('@') ? [raw] : [];
    }
  });
}
