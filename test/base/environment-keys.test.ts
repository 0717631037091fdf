import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { environmentKeysOf, keysBeside } from '../../src/base/keys/environment-keys.ts';
import { decodeText } from '../../src/base/text/decode-text.ts';

const key = (): string => `${'sk'}-${randomBytes(16).toString('hex')}`;
const of = (variables: Readonly<Record<string, string>>) =>
  environmentKeysOf(new Map(Object.entries(variables)));
const keysOf = (variables: Readonly<Record<string, string>>) =>
  Object.fromEntries(of(variables).keys);
const [a, b, c] = [key(), key(), key()];

describe('pool keys of the environment', () => {
  it('gives each value of a list a name of its own, beside the names that are written', () => {
    expect(keysOf({ DEEPSEEK_API_KEY: `${a},${b}`, DEEPSEEK_API_KEY_2: c })).toEqual({
      DEEPSEEK_API_KEY: a,
      DEEPSEEK_API_KEY_2: c,
      DEEPSEEK_API_KEY_3: b,
    });
    expect(keysOf({ DEEPSEEK_API_KEYS: `${a}; ${b}` })).toEqual({
      DEEPSEEK_API_KEY: a,
      DEEPSEEK_API_KEY_2: b,
    });
  });

  it('takes quotes and NAME= off a value', () => {
    expect(keysOf({ DEEPSEEK_API_KEY: `"${a}"`, DEEPSEEK_API_KEY_2: `KEY=${b}` })).toEqual({
      DEEPSEEK_API_KEY: a,
      DEEPSEEK_API_KEY_2: b,
    });
  });

  it('says which variables it cannot use, and never their values', () => {
    const pplx = `pplx-${randomBytes(24).toString('hex')}`;
    const { keys, unused } = of({
      DEEPSEEK_API_KEY: pplx,
      DEEPSEEK_API_KEY_0: a,
      DEEPSEEK_API_KEY_01: a,
      DEEPSEEK_API_KEY_123456: a,
      DEEPSEEK_API_KEY_4: `sk-${'a7'.repeat(600)}`,
      DEEPSEEK_API_KEY_5: '$DEEPSEEK_API_KEY',
      DEEPSEEK_API_KEY_6: 'sk-...',
    });
    expect(keys.size).toBe(0);
    expect(unused.map(({ name }) => name)).toEqual([
      'DEEPSEEK_API_KEY',
      'DEEPSEEK_API_KEY_0',
      'DEEPSEEK_API_KEY_01',
      'DEEPSEEK_API_KEY_4',
      'DEEPSEEK_API_KEY_123456',
    ]);
    expect(JSON.stringify(unused)).not.toMatch(new RegExp(`${pplx.slice(5, 13)}|a7a7`));
  });

  it('adds to a store what it lacks, a further value of a list under a number free in both', () => {
    const environment = of({ DEEPSEEK_API_KEY: `${a},${b}` });
    const stored = new Set(['DEEPSEEK_API_KEY', 'DEEPSEEK_API_KEY_2']);
    expect(Object.fromEntries(keysBeside(environment, (name) => stored.has(name)))).toEqual({
      DEEPSEEK_API_KEY_3: b,
    });
  });
});

describe('the bytes of a text', () => {
  const text = `DEEPSEEK_API_KEY=${a}\r\n# Schlüssel 百炼\r\n`;
  const utf16le = Buffer.from(text, 'utf16le');
  it.each([
    ['utf-8', Buffer.from(text)],
    ['utf-8', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text)])],
    ['utf-16le', Buffer.concat([Buffer.from([0xff, 0xfe]), utf16le])],
    ['utf-16be', Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(utf16le).swap16()])],
    ['utf-16le', utf16le],
    ['utf-16be', Buffer.from(utf16le).swap16()],
  ])('are read as %s: case %#', (encoding, bytes) => {
    expect(decodeText(bytes)).toEqual({ text, encoding });
  });

  it('are read as GBK and Windows-1252 where UTF-8 does not fit', () => {
    const gbk = Buffer.concat([Buffer.from([0xb0, 0xd9, 0xc1, 0xb6]), Buffer.from(`: ${a}`)]);
    expect(decodeText(gbk)?.text).toBe(`百炼: ${a}`);
    const latin = Buffer.from(`Schl\xfcssel: ${a}`, 'latin1');
    expect(decodeText(latin)?.text).toBe(`Schlüssel: ${a}`);
    const prose = Buffer.from(`Schl\xfcssel f\xfcr DeepSeek: ${a}`, 'latin1');
    expect(decodeText(prose)?.text).toBe(`Schlüssel für DeepSeek: ${a}`);
  });

  it('are refused when they are no text', () => {
    expect(decodeText(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 13, 0, 1, 2, 3]))).toBeNull();
  });
});
