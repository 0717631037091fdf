/** NO_PROXY, in the forms that curl, Go and the browsers understand. */

import { BlockList, isIP } from 'node:net';
import { isLoopback } from '../../base/loopback.ts';

/** Where a request goes; the port is always there. */
export interface Target {
  readonly protocol: 'http:' | 'https:';
  /** As `URL.hostname` spells it: lower case, IPv6 in brackets. */
  readonly hostname: string;
  readonly port: number;
}

/** Chromium's word for "loopback goes through the proxy as well". */
const LOOPBACK_TOO = '<-loopback>';

interface Entry {
  readonly host: string;
  /** Null: every port. */
  readonly port: number | null;
}

/** `host`, `host:port`, `[::1]`, `[::1]:port`, `::1`; the dot or `*.` in front says nothing new. */
function entryOf(text: string): Entry {
  const [, bracketed, name, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? name ?? text;
  return {
    host: host.replace(/^\*?\./, '').replace(/\.$/, ''),
    port: port === undefined ? null : Number(port),
  };
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

/** `10.0.0.0/8`, `fd00::/8`. */
function isInNetwork(network: string, address: string): boolean {
  const [, base = '', bits = ''] = /^\[?([0-9a-f.:]+)\]?\/(\d{1,3})$/.exec(network) ?? [];
  const version = isIP(base);
  if (version === 0 || Number(bits) > (version === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(base, Number(bits), familyOf(base));
  return list.check(address, familyOf(address));
}

function isSameAddress(one: string, other: string): boolean {
  if (isIP(one) === 0) return false;
  const list = new BlockList();
  list.addAddress(one, familyOf(one));
  return list.check(other, familyOf(other));
}

function names(text: string, host: string, port: number): boolean {
  const isAddress = isIP(host) !== 0;
  if (text.includes('/')) return isAddress && isInNetwork(text, host);
  const entry = entryOf(text);
  if (entry.host === '' || (entry.port !== null && entry.port !== port)) return false;
  if (isAddress) return isSameAddress(entry.host, host);
  return host === entry.host || host.endsWith(`.${entry.host}`);
}

/**
 * Whether the proxy is passed by. This machine itself is always reached directly, for no proxy
 * elsewhere can reach it and a key sent to it over http would pass the proxy in clear; but for
 * `<-loopback>` in NO_PROXY, and for https through a proxy that runs on this machine, too: that is
 * a debugging proxy, and it reads nothing that is not meant for it.
 */
export function isDirect(target: Target, noProxy: string | null, proxyHost: string): boolean {
  const entries = (noProxy ?? '').toLowerCase().split(/[,\s]+/);
  if (entries.includes('*')) return true;
  if (isLoopback(target.hostname) && !entries.includes(LOOPBACK_TOO)) {
    if (target.protocol === 'http:' || !isLoopback(proxyHost)) return true;
  }
  const host = target.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  return entries.some((entry) => names(entry, host, target.port));
}
