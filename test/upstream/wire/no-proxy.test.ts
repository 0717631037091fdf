import { describe, expect, it } from 'vitest';
import { isDirect } from '../../../src/upstream/wire/no-proxy.ts';
import { targetOf } from '../../../src/upstream/wire/proxy.ts';

const PROXY = 'proxy.example';

describe('NO_PROXY', () => {
  it.each([
    ['*', 'https://api.deepseek.com'],
    ['a.example, *', 'https://api.deepseek.com'],
    ['api.deepseek.com', 'https://api.deepseek.com'],
    ['API.DeepSeek.COM', 'https://api.deepseek.com'],
    ['deepseek.com', 'https://api.deepseek.com'],
    ['.deepseek.com', 'https://api.deepseek.com'],
    ['*.deepseek.com', 'https://api.deepseek.com'],
    ['.deepseek.com', 'https://deepseek.com'],
    ['api.deepseek.com.', 'https://api.deepseek.com'],
    ['api.deepseek.com', 'https://api.deepseek.com.'],
    ['api.deepseek.com:443', 'https://api.deepseek.com'],
    ['deepseek.com:8443', 'https://api.deepseek.com:8443'],
    ['a.example  deepseek.com,b.example', 'https://api.deepseek.com'],
    ['10.1.2.3', 'https://10.1.2.3'],
    ['10.1.2.3:8443', 'https://10.1.2.3:8443'],
    ['10.0.0.0/8', 'https://10.1.2.3'],
    ['fd00::/8', 'https://[fd12::7]'],
    ['[fd12::7]', 'https://[fd12::7]'],
    ['fd12::7', 'https://[fd12::7]'],
    ['fd12:0:0:0:0:0:0:7', 'https://[fd12::7]'],
    ['[fd12::7]:8443', 'https://[fd12::7]:8443'],
  ])('%s exempts %s', (noProxy, url) => {
    expect(isDirect(targetOf(url), noProxy, PROXY)).toBe(true);
  });

  it.each([
    [null, 'https://api.deepseek.com'],
    ['', 'https://api.deepseek.com'],
    [',  ,', 'https://api.deepseek.com'],
    ['eepseek.com', 'https://api.deepseek.com'],
    ['api.deepseek.com:8443', 'https://api.deepseek.com'],
    ['api.deepseek.com', 'https://deepseek.com'],
    ['1.2.3', 'https://10.1.2.3'],
    ['10.1.2.3', 'https://10.1.2.33'],
    ['10.0.0.0/8', 'https://11.1.2.3'],
    ['10.0.0.0/33', 'https://10.1.2.3'],
    ['10.0.0.0/8', 'https://10.example'],
    ['[fd12::7]:8443', 'https://[fd12::7]'],
    ['not[an]entry:x', 'https://api.deepseek.com'],
  ])('%s does not exempt %s', (noProxy, url) => {
    expect(isDirect(targetOf(url), noProxy, PROXY)).toBe(false);
  });
});

describe('this machine itself', () => {
  const LOOPBACK = [
    'http://localhost:1',
    'http://127.0.0.1:1',
    'http://127.8.0.1:1',
    'http://[::1]:1',
  ];

  it.each(LOOPBACK)('%s is reached directly, whoever the proxy is', (url) => {
    expect(isDirect(targetOf(url), null, PROXY)).toBe(true);
    expect(isDirect(targetOf(url), null, '127.0.0.1')).toBe(true);
  });

  it.each(LOOPBACK)('%s goes through the proxy for who says <-loopback>', (url) => {
    expect(isDirect(targetOf(url), 'a.example,<-loopback>', '127.0.0.1')).toBe(false);
    expect(isDirect(targetOf(url), '<-loopback> localhost,127.0.0.0/8,[::1]', PROXY)).toBe(true);
  });

  it('is shown over https to a proxy that runs on it, too, and to no other', () => {
    expect(isDirect(targetOf('https://localhost:1'), null, '127.0.0.1')).toBe(false);
    expect(isDirect(targetOf('https://localhost:1'), null, PROXY)).toBe(true);
  });
});
