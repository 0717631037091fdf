/** Addresses that a text sets beside its keys: whose keys they are. Pure. */

import type { Provider } from '../../base/errors.ts';
import type { Surroundings } from '../judge.ts';
import { upperSnake } from './written-name.ts';

const ADDRESS =
  /(?<![A-Za-z0-9_.-])([A-Za-z_][A-Za-z0-9_.-]{0,100})["'`]?\]?\s*(?:=>|:=|=|:)\s*["'`]?(https?:\/\/[^\s"'`,;<>]+)/g;
const ADDRESS_NAME = /^(.*?)_?(?:API_)?(?:BASE_?URL|API_?BASE|BASE|ENDPOINT|HOST|URL|ADDRESS)$/;
const KEY_NAME = /^(.*?)_?(?:API_?|SECRET_?|ACCESS_?|AUTH_?)*(?:KEYS?|TOKENS?|SECRET)(?:_?\d+)?$/;
const HOSTS: Readonly<Record<Provider, RegExp>> = {
  deepseek: /(?:^|\.)deepseek\.com$/,
  perplexity: /(?:^|\.)perplexity\.ai$/,
};
const LOOPBACK = /^(?:localhost|127\.[\d.]+|\[::1\]|0\.0\.0\.0)$/;

export function providerOfHost(host: string): Provider | null {
  if (HOSTS.deepseek.test(host)) return 'deepseek';
  return HOSTS.perplexity.test(host) ? 'perplexity' : null;
}

function familyOf(prefix: string): Provider | null {
  if (/DEEPSEEK/.test(prefix)) return 'deepseek';
  return /PERPLEXITY|PPLX|SONAR/.test(prefix) ? 'perplexity' : null;
}

/** What is before `_API_KEY` in a name; the same stands before `_BASE_URL`. */
function prefixOf(written: string): string | null {
  return KEY_NAME.exec(upperSnake(written))?.[1] ?? null;
}

export function readSurroundings(text: string): Surroundings {
  const hosts = new Map<string, string>();
  for (const [, name = '', address = ''] of text.matchAll(ADDRESS)) {
    const prefix = ADDRESS_NAME.exec(upperSnake(name))?.[1];
    if (prefix === undefined || !URL.canParse(address)) continue;
    hosts.set(prefix, new URL(address).hostname);
  }
  const hostFor = (written: string): string | undefined => {
    const prefix = prefixOf(written);
    return prefix === null ? undefined : hosts.get(prefix);
  };
  return {
    isRedirected: (written) => {
      const host = hostFor(written);
      if (host === undefined || LOOPBACK.test(host)) return false;
      return providerOfHost(host) !== familyOf(prefixOf(written) ?? '');
    },
    addressed: (written) => {
      const host = hostFor(written);
      return host === undefined ? null : providerOfHost(host);
    },
  };
}
