import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../../src/base/logger.ts';
import { Redactor } from '../../src/base/redact.ts';
import { redactJson, redactMessage } from '../../src/base/redaction/structure.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** A key of any vendor: no two share a run but by a chance that nobody meets. */
const secret = fc
  .array(fc.constantFrom(...ALPHABET), { minLength: 24, maxLength: 60 })
  .map((characters) => `sk-${characters.join('')}7a1B`);

const hexOf = (text: string, encoding: BufferEncoding = 'latin1'): string[] =>
  [...Buffer.from(text, encoding)].map((byte) => byte.toString(16).padStart(2, '0'));

/** Encodings of a whole text; what is before and after the secret is encoded with it. */
const ENCODINGS: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => text,
  base64: (text) => Buffer.from(text).toString('base64'),
  base64url: (text) => Buffer.from(text).toString('base64url'),
  'base64 in lines': (text) =>
    (
      Buffer.from(text)
        .toString('base64')
        .match(/.{1,76}/g) ?? []
    ).join('\r\n'),
  hex: (text) => hexOf(text).join(''),
  'hex in upper case': (text) => hexOf(text).join('').toUpperCase(),
  'hex with colons': (text) => hexOf(text).join(':'),
  'hex with prefixes': (text) =>
    hexOf(text)
      .map((hex) => `0x${hex}`)
      .join(', '),
  percent: (text) =>
    hexOf(text)
      .map((hex) => `%${hex}`)
      .join(''),
  'JSON escapes': (text) =>
    hexOf(text)
      .map((hex) => `\\u00${hex}`)
      .join(''),
  'JSON escapes in JSON': (text) =>
    hexOf(text)
      .map((hex) => `\\\\u00${hex}`)
      .join(''),
  'JavaScript escapes': (text) =>
    hexOf(text)
      .map((hex) => `\\x${hex}`)
      .join(''),
  'HTML escapes': (text) => [...text].map((each) => `&#${each.charCodeAt(0)};`).join(''),
  'bytes of UTF-16': (text) => Buffer.from(text, 'utf16le').toString('latin1'),
  'base64 of UTF-16': (text) => Buffer.from(text, 'utf16le').toString('base64'),
  'hex of UTF-16': (text) => hexOf(text, 'utf16le').join(''),
  'base64 of UTF-16, big end first': (text) =>
    Buffer.from(text, 'utf16le').swap16().toString('base64'),
  'base64 of base64': (text) =>
    Buffer.from(Buffer.from(text).toString('base64')).toString('base64'),
  'a list of bytes': (text) => JSON.stringify([...Buffer.from(text)]),
};

const ascii = fc.string({ unit: fc.constantFrom(...' abcXYZ.,"{}\n/'), maxLength: 40 });

describe('a secret', () => {
  it.each(Object.keys(ENCODINGS))('is taken out of %s, wherever it stands', (name) => {
    const encode = ENCODINGS[name] ?? String;
    fc.assert(
      fc.property(secret, ascii, ascii, (value, before, after) => {
        const redactor = new Redactor();
        redactor.use('test', [value]);
        const text = `${before}${value}${after}`;
        const clean = redactor.redact(`a ${encode(text)} b`);
        expect(clean).toContain('[redacted]');
        expect(clean.startsWith('a ')).toBe(true);
        expect(clean.endsWith(' b')).toBe(true);
        // What is left is what stood around it, and at most seven characters of itself.
        const left = clean.length - 4 - '[redacted]'.length;
        const around = encode(before).length + encode(after).length;
        expect(left).toBeLessThanOrEqual(around + 2 * encode('1234567').length + 8);
      }),
      { numRuns: 40 },
    );
  });

  it('is taken out in part as well, from eight characters on, letters alone or digits', () => {
    const redactor = new Redactor();
    redactor.use('test', ['sk-QwErTzUiOpAs12345678qwXYzz']);
    for (const run of ['QwErTzUi', 'TzUiOpAs', '12345678', '5678qwXY']) {
      expect(redactor.redact(`(${run})`)).toBe('([redacted])');
    }
  });

  it('with letters of any language is taken out of base64, among bytes that are no text', () => {
    const password = 'grüße-7Ä9-öl4Ü';
    const redactor = new Redactor();
    redactor.use('test', [password]);
    const noise = Buffer.from([0x01, 0xff, 0x80, 0x9f, 0x02, 0x7f, 0x05, 0xb0, 0x11]);
    for (const encoding of ['latin1', 'utf16le'] as const) {
      const bytes = Buffer.concat([noise, Buffer.from(password, encoding), noise]);
      expect(redactor.redact(bytes.toString('base64')), encoding).toContain('[redacted]');
    }
  });

  it('made of words for a test leaves those words to the text', () => {
    const redactor = new Redactor();
    redactor.use('test', ['sk-deepseek-TestServer-00000000-production-4711']);
    const text = 'deepseek-TestServer 00000000 in production';
    expect(redactor.redact(text)).toBe(text);
    expect(redactor.redact('sk-deepseek-TestServer-00000000-production-4711')).toContain('[');
  });

  it('of words alone goes as a whole, and a short one as a word', () => {
    const redactor = new Redactor();
    redactor.use('test', ['correct horse battery staple', 'x7k9', 'test', 'ab']);
    expect(redactor.redact('it is correct horse battery staple!')).toBe('it is [redacted]!');
    expect(redactor.redact('pin x7k9, not x7k95')).toBe('pin [redacted], not x7k95');
    expect(redactor.redact('a test of ab')).toBe('a test of ab');
  });
});

describe('what the redactor keeps', () => {
  const long = (seed: number): string =>
    Array.from({ length: 8_192 }, (_, at) =>
      ALPHABET.charAt((Math.imul(at + 1, 2_654_435_761) ^ Math.imul(seed, 40_503 + at)) & 63),
    ).join('');

  it('is bounded by what is in use: some thirty bytes for a character', () => {
    const values = Array.from({ length: 60 }, (_, seed) => long(seed));
    const redactor = new Redactor();
    redactor.use('store', values);
    expect(redactor.size).toBeLessThan(60 * 8_192 * 45);
    expect(redactor.redact(`: ${values[59]}`)).toBe(': [redacted]');
  });

  it('does not grow with what comes and goes', () => {
    const redactor = new Redactor();
    const sizes = Array.from({ length: 200 }, (_, seed) => {
      redactor.add(long(seed));
      redactor.use('store', [long(seed + 1)]);
      return redactor.size;
    });
    expect(Math.max(...sizes.slice(100))).toBeLessThanOrEqual(Math.max(...sizes.slice(0, 100)));
  });

  it('is remembered while a call may still carry it, and then forgotten', () => {
    let now = 0;
    const redactor = new Redactor(() => now);
    redactor.use('store', ['sk-first-0123456789', 'sk-second-abc123456']);
    redactor.use('store', ['sk-second-abc123456']);
    expect(redactor.redact('sk-first-0123456789')).toBe('[redacted]');
    now = 3_600_001;
    redactor.use('store', ['sk-second-abc123456']);
    expect(redactor.redact('sk-first-0123456789')).toBe('sk-first-0123456789');
    expect(redactor.redact('sk-second-abc123456')).toBe('[redacted]');
  });
});

describe('JSON on its way out', () => {
  const redactor = new Redactor();
  redactor.use('test', ['sk-12345678-abcdEFGH']);
  const redact = (text: string): string => redactor.redact(text);

  it('stays JSON: numbers and names of ours are no secrets', () => {
    const clean = redactJson('{"n":12345678,"s":"12345678","sk-12345678":[{"x":null}]}', redact);
    expect(JSON.parse(clean)).toEqual({
      n: 12345678,
      s: '[redacted]',
      '[redacted]': [{ x: null }],
    });
  });

  it('keeps the ids and tokens of a client', () => {
    const message = {
      jsonrpc: '2.0',
      id: '12345678',
      result: { text: 'a 12345678', _meta: { token: '12345678' } },
    };
    expect(JSON.parse(redactMessage(JSON.stringify(message), redact))).toEqual({
      ...message,
      result: { ...message.result, text: 'a [redacted]' },
    });
    const progress = { method: 'notifications/progress', params: { progressToken: '12345678' } };
    expect(JSON.parse(redactMessage(JSON.stringify(progress), redact))).toEqual(progress);
  });
});

describe('a log line', () => {
  const lineOf = (message: string, fields = {}): string => {
    const lines: string[] = [];
    const write = (line: string): void => void lines.push(line);
    createLogger({ level: 'info', redactor: new Redactor(), write }).info(message, fields);
    return lines.join('');
  };

  it('shows no key that has a vendor’s shape, and leaves alone what only begins like one', () => {
    const key = `sk-${'a1b2c3d4'.repeat(4)}`;
    expect(lineOf(`got ${key}`, { detail: `Bearer ${key.slice(3)}` })).not.toContain('a1b2c3d4');
    for (const text of [
      'sk-hynix-ships-hbm4-samples',
      'Bearer YOUR_API_TOKEN_HERE',
      'sk_buff_head',
    ])
      expect(lineOf(text)).toContain(text);
  });

  it('holds nothing that a terminal obeys', () => {
    expect(lineOf('a\u009b31mb\u0085c\u202ed\u2028e\u007f')).toMatch(
      /"a\\u009b31mb\\u0085c\\u202ed\\u2028e\\u007f"/,
    );
  });
});
