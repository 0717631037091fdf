import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskValue } from '../../src/base/keys/key-id.ts';
import { Redactor } from '../../src/base/redact.ts';

/** A key as vendors make them: a prefix and 32 characters of hex. */
const secret = fc
  .array(fc.constantFrom(...'0123456789abcdef'), { minLength: 32, maxLength: 32 })
  .map((characters) => `sk-${characters.join('')}`);

const redactorFor = (value: string): Redactor => {
  const redactor = new Redactor();
  redactor.add(value);
  return redactor;
};

describe('the redactor', () => {
  it('takes a secret out of any text, in every form that something may have given it', () => {
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (value, before, after) => {
        const redactor = redactorFor(value);
        const forms = [
          value,
          Buffer.from(value).toString('base64'),
          Buffer.from(value).toString('hex'),
          encodeURIComponent(value),
        ];
        for (const form of forms) {
          expect(redactor.redact(`${before}${form}${after}`)).not.toContain(form);
        }
      }),
    );
  });

  it('takes each of many secrets out, wherever in a long text it stands', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(secret, { minLength: 1, maxLength: 8 }),
        fc.nat(400),
        fc.nat(),
        (values, indent, which) => {
          const redactor = new Redactor();
          for (const value of values) redactor.add(value);
          const value = values[which % values.length] ?? '';
          // Without its prefix no shape shows it, only its own characters do.
          const part = value.slice(3);
          const text = `${'The words before it. '.repeat(20).slice(0, indent)}${part} and after`;
          expect(redactor.redact(text)).not.toContain(part);
          const hex = Buffer.from(value).toString('hex');
          expect(redactor.redact(text.replace(part, hex))).not.toContain(hex);
        },
      ),
    );
  });

  it('takes out any run of eight or more of its characters, but for rows of a few of them', () => {
    const isRow = (eight: string): boolean => new Set(eight).size < 4;
    fc.assert(
      fc.property(secret, fc.nat(24), fc.integer({ min: 8, max: 20 }), (value, start, length) => {
        const run = value.slice(3 + start, 3 + start + length);
        fc.pre(/\d/.test(run) && /[a-z]/.test(run));
        const eights = Array.from({ length: run.length - 7 }, (_, at) => run.slice(at, at + 8));
        fc.pre(!eights.every(isRow));
        expect(redactorFor(value).redact(`what ${run} was`)).not.toContain(run);
      }),
    );
  });

  it('leaves text without a secret as it is', () => {
    const redactor = redactorFor('sk-deepseek-0123456789abcdef');
    const text = 'DeepSeek has no balance left on DEEPSEEK_API_KEY_2 (deepseek, abcdef).';
    expect(redactor.redact(text)).toBe(text);
  });

  it('knows in logs the shapes of secrets that were never registered', () => {
    const redactor = new Redactor();
    const text = redactor.redactLog('Authorization: Bearer abcdefgh12345678, sk-abcdefgh12345678');
    expect(text).not.toMatch(/abcdefgh/);
  });
});

describe('a masked value', () => {
  it('shows the prefix and the key id of a long value, and nothing of a short one', () => {
    expect(maskValue('sk-00000000000000000000337242')).toBe('sk-…337242');
    expect(maskValue('only-nineteen-chars')).toBe('…');
  });
});
