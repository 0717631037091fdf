import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyId, maskValue } from '../../src/base/keys/key-id.ts';
import {
  isPlaceholder,
  splitValues,
  unwrapValue,
  valueFitOf,
  valueProblem,
} from '../../src/base/keys/key-values.ts';

const hex = (): string => randomBytes(16).toString('hex');
/** Forms as the providers give them out, made at run time. */
const deepseek = (): string => `${'sk'}-${hex()}`;
const perplexity = (): string => `${'pplx'}-${hex()}${hex().slice(0, 16)}`;

describe('the form of a key', () => {
  it.each([
    ['deepseek', deepseek(), 'own'],
    ['deepseek', `sk-${hex()}${hex()}`, 'near'],
    ['deepseek', `sk-ant-api03-${hex()}`, 'foreign'],
    ['deepseek', `sk-or-v1-${hex()}`, 'foreign'],
    ['deepseek', `sk-proj-${hex()}`, 'foreign'],
    ['deepseek', perplexity(), 'foreign'],
    ['deepseek', `ghp_${hex()}`, 'foreign'],
    ['deepseek', hex(), 'unknown'],
    ['deepseek', 'sk-short', 'unknown'],
    ['perplexity', perplexity(), 'own'],
    ['perplexity', `pplx-${hex()}`, 'near'],
    ['perplexity', deepseek(), 'foreign'],
    ['perplexity', hex(), 'unknown'],
  ] as const)('for %s: case %#', (provider, value, fit) => {
    expect(valueFitOf(provider, value)).toBe(fit);
  });

  it('keeps a key of one provider out of the other family, and never repeats it', () => {
    for (const [name, value] of [
      ['DEEPSEEK_API_KEY', perplexity()],
      ['DEEPSEEK_API_KEY_3', `sk-ant-${hex()}`],
      ['PERPLEXITY_API_KEY', deepseek()],
    ] as const) {
      const problem = valueProblem(name, value) ?? '';
      expect(problem).toMatch(/form/);
      expect(problem).not.toContain(value.slice(4, 12));
    }
    expect(valueProblem('ANTHROPIC_API_KEY', `sk-ant-${hex()}`)).toBeNull();
  });

  it('says at once that a value is too long to be sent', () => {
    const long = (length: number): string => `sk-${'a7'.repeat(length)}`.slice(0, length);
    expect(valueProblem('DEEPSEEK_API_KEY', long(1_024))).toBeNull();
    expect(valueProblem('DEEPSEEK_API_KEY', long(1_025))).toMatch(/longer than 1024/);
    expect(valueProblem('DEEPSEEK_API_KEY', long(8_192))).toMatch(/longer than 1024/);
    expect(valueProblem('SIGNING_SECRET', long(8_192))).toBeNull();
    expect(valueProblem('SIGNING_SECRET', long(8_193))).toMatch(/longer than 8192/);
  });
});

describe('placeholders', () => {
  it.each([
    'sk-your-deepseek-api-key',
    'pplx-your-api-key',
    'user_provided',
    `gsk_${'x'.repeat(30)}`,
    `sk-${'X'.repeat(32)}`,
    'sk-xxxx-xxxx',
    'key1',
    'dummy',
    'EMPTY',
    'sk-...',
    'sk-…',
    'sk-abc...xyz',
    'your_key_here',
    'YOUR-DEEPSEEK-KEY',
    '<your key>',
    '$DEEPSEEK_API_KEY',
    '$env:DEEPSEEK_API_KEY',
    '%DEEPSEEK_API_KEY%',
    '{{ deepseek_key }}',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the literal text is what clients leave
    '${DEEPSEEK_API_KEY}',
    'sk-1234567890abcdef1234567890abcdef',
    'sk-0123456789abcdef0123456789abcdef',
    `sk-${'a'.repeat(32)}`,
    `sk-${'1'.repeat(32)}`,
    `sk-${'deadbeef'.repeat(4)}`,
    `sk-${'DEADBEEF'.repeat(4)}`,
    `sk-${'cafebabe'.repeat(4)}`,
    `sk-badc0ffee0ddf00d${'feedface'.repeat(2)}`,
    `sk-${'1234'.repeat(8)}`,
    `sk-${'ab'.repeat(16)}`,
    `sk-${'fedcba9876543210'.repeat(2)}`,
    'sk-00112233445566778899aabbccddeeff',
    `pplx-${'a'.repeat(48)}`,
    `pplx-${'deadbeef'.repeat(6)}`,
    `pplx-${'1234567890'.repeat(5).slice(0, 48)}`,
    'abcdefghijklmnop',
    '********',
    'sk-********',
    'insert-key-here',
    'change-me',
    '',
  ])('takes %j for one', (text) => {
    expect(isPlaceholder(text)).toBe(true);
  });

  it.each(['sk-test-1', 'sk-test-fake-first-000001', 'abc123', 'hunter2', 'sk-demo-key-1'])(
    'does not take %j for one',
    (text) => {
      expect(isPlaceholder(text)).toBe(false);
    },
  );

  it('does not take a made-up unit for one, however often it is repeated', () => {
    expect(isPlaceholder(`sk-${'4f9a1c07d2e85b36'.repeat(2)}`)).toBe(false);
    expect(isPlaceholder(`sk-${'a7c2'.repeat(8)}`)).toBe(false);
    expect(isPlaceholder(`sk-${'a'.repeat(26)}337242`)).toBe(false);
  });

  it('never takes a random key for one, of 100,000', () => {
    const keys = Array.from({ length: 50_000 }, () => [deepseek(), perplexity()]).flat();
    expect(keys.filter(isPlaceholder)).toEqual([]);
  }, 60_000);
});

describe('what stands around a value', () => {
  const key = deepseek();
  it.each([
    `"${key}"`,
    `'${key}'`,
    `\`${key}\``,
    `“${key}”`,
    `${key};`,
    `${key},`,
    `${key}.`,
    `(${key})`,
    `[${key}]`,
    `<${key}>`,
    `**${key}**`,
    `DEEPSEEK_API_KEY=${key}`,
    `export DEEPSEEK_API_KEY="${key}"`,
    `Bearer ${key}`,
    `  ${key}\n`,
    `${key} # main`,
    `${key}#main`,
    `"${key}" (the one of work)`,
    `DEEPSEEK_API_KEY=${key} // main`,
  ])('goes: case %#', (text) => {
    expect(unwrapValue(text)).toBe(key);
  });

  it('is left on a secret that may end in anything', () => {
    expect(unwrapValue('p4ss,word;.')).toBe('p4ss,word;.');
    expect(unwrapValue('"p4ss,word;."')).toBe('p4ss,word;.');
  });

  it.each([
    (a: string, b: string) => `${a},${b}`,
    (a: string, b: string) => `${a}; ${b}`,
    (a: string, b: string) => `${a} ${b}`,
    (a: string, b: string) => `${a}\\n${b}`,
    (a: string, b: string) => `["${a}", "${b}"]`,
    (a: string, b: string) => `${a}\n${b}\n`,
  ])('and between several: case %#', (join) => {
    const other = deepseek();
    expect(splitValues(join(key, other))).toEqual([key, other]);
  });
});

describe('the key id', () => {
  it('is the last six characters of a long value', () => {
    expect(keyId(`sk-${'a'.repeat(20)}337242`)).toBe('337242');
    expect(maskValue(`sk-${'a'.repeat(20)}337242`)).toBe('sk-…337242');
  });

  it('shows no part of a short value, and tells two of them apart', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8, maxLength: 19 }), (value) => {
        const id = keyId(value);
        expect(id).toMatch(/^[0-9a-f]{6}$/);
        expect(keyId(value)).toBe(id);
        expect(maskValue(value)).toBe('…');
      }),
    );
    expect(keyId('hunter2-hunter2')).not.toBe(keyId('hunter2-hunter3'));
    expect(keyId('abcdef')).not.toBe('abcdef');
  });
});
