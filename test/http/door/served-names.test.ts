import { describe, expect, it } from 'vitest';
import { isLoopback } from '../../../src/base/loopback.ts';
import {
  plainAddress,
  plainHost,
  servedNames,
  urlOf,
} from '../../../src/http/door/served-names.ts';

describe('a Host in one spelling', () => {
  it.each([
    ['Keys.Example', 'keys.example'],
    ['keys.example.', 'keys.example'],
    ['keys.example.:8787', 'keys.example:8787'],
    ['keys.example:443', 'keys.example'],
    ['keys.example:80', 'keys.example'],
    ['keys.example:8080', 'keys.example:8080'],
    ['[::1]:443', '[::1]'],
    ['[::1]:8787', '[::1]:8787'],
    ['keys.example..', 'keys.example.'],
    ['a:b', ''],
    ['keys.example:', ''],
  ])('%s is %s', (host, plain) => {
    expect(plainHost(host)).toBe(plain);
  });
});

describe('the names of a server', () => {
  it('on port 80 go without it, as clients write them', () => {
    const { hosts, origins } = servedNames('127.0.0.1', 80, []);
    for (const host of ['localhost', '127.0.0.1', '127.0.0.1:80', '[::1]']) {
      expect(hosts.has(plainHost(host)), host).toBe(true);
    }
    expect(origins.has(plainHost('localhost'))).toBe(true);
  });

  it('on another port let in no page that leaves the port out', () => {
    const { hosts, origins } = servedNames('127.0.0.1', 8787, ['keys.example']);
    expect(hosts.has('localhost')).toBe(true);
    expect(origins.has('localhost')).toBe(false);
    expect([hosts.has('keys.example'), origins.has('keys.example')]).toEqual([true, true]);
    expect(hosts.has('')).toBe(false);
  });

  it.each([
    ['[::1]', '::1', 'http://[::1]:1', true],
    ['LocalHost', 'localhost', 'http://localhost:1', true],
    ['0.0.0.0', '0.0.0.0', 'http://127.0.0.1:1', false],
    ['127.0.0.2', '127.0.0.2', 'http://127.0.0.2:1', true],
  ])('%s is listened on as %s and reached at %s', (given, address, url, loopback) => {
    expect(plainAddress(given)).toBe(address);
    expect(urlOf(address, 1)).toBe(url);
    expect(isLoopback(address)).toBe(loopback);
  });
});
