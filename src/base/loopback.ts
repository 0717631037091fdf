/** What counts as this machine itself, said once for base URLs, proxies and the server's own address. */

import { BlockList, isIP } from 'node:net';

const ADDRESSES = new BlockList();
ADDRESSES.addSubnet('127.0.0.0', 8, 'ipv4');
ADDRESSES.addAddress('::1', 'ipv6');

/** The names under which a server on this machine is usually reached, as a URL spells them. */
export const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'] as const;

/**
 * Whether nothing but this machine answers under that name.
 *
 * @param host a name or an address, an IPv6 one with or without brackets
 */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  const version = isIP(name);
  if (version === 0) return name === 'localhost' || name === 'localhost.';
  return ADDRESSES.check(name, version === 4 ? 'ipv4' : 'ipv6');
}
