import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readGivenKeys } from '../../src/importing/given-keys.ts';

const SK = `sk-${'4f9a1c07d2e85b36'.repeat(2)}`;
const SK2 = `sk-${'70b3e9d2815ac64f'.repeat(2)}`;
const PX = `pplx-${'aZ3kQ9mB7xT1'.repeat(4)}`;

describe('what was pasted for one provider', () => {
  it.each([
    ['alone', SK],
    ['with blanks around it', `  ${SK}\n\n`],
    ['in quotes', `"${SK}"`],
    ['as an assignment', `DEEPSEEK_API_KEY=${SK}`],
    ['as a line for a shell', `export DEEPSEEK_API_KEY="${SK}"`],
    ['as a header', `Authorization: Bearer ${SK}`],
    ['with its label', `DeepSeek API key 2: ${SK}.`],
    ['as JSON', `{"key": "${SK}"}`],
  ])('takes a key %s', (_how, text) => {
    expect(readGivenKeys('deepseek', text)).toEqual({ ok: true, values: [SK] });
  });

  it.each([
    ['lines', `${SK}\n${SK2}`],
    ['Windows lines', `${SK}\r\n${SK2}\r\n`],
    ['a list', `${SK}, ${SK2}`],
    ['a list of JSON', `["${SK}","${SK2}"]`],
    ['a line break as somebody typed it', `${SK}\\n${SK2}`],
    ['assignments', `DEEPSEEK_API_KEY=${SK}\nDEEPSEEK_API_KEY_2=${SK2}`],
    ['notes', `# my keys\n1. main: ${SK}\n2. spare: ${SK2}\n1. again: ${SK}`],
  ])('takes several keys as %s, each once', (_how, text) => {
    expect(readGivenKeys('deepseek', text)).toEqual({ ok: true, values: [SK, SK2] });
  });

  it('takes a gateway’s key of another form when it stands alone', () => {
    expect(readGivenKeys('deepseek', 'gw-7Jq2')).toEqual({ ok: true, values: ['gw-7Jq2'] });
  });

  it.each([
    ['nothing', ' \n ', 'it is empty'],
    ['a placeholder', 'sk-your-deepseek-api-key', 'it is a placeholder, not a key'],
    ['an unfilled template', '$DEEPSEEK_API_KEY', 'it is a placeholder, not a key'],
    ['another provider’s key', PX, 'by its form it is a key of Perplexity'],
    [
      'another provider’s key beside a good one',
      `${SK}\n${PX}`,
      'entry 2 of 2: by its form it is a key of Perplexity',
    ],
    ['words', 'I have no key yet', 'there is no DeepSeek key in it'],
  ])('refuses %s and says why', (_what, text, problem) => {
    expect(readGivenKeys('deepseek', text)).toEqual({ ok: false, problem });
  });

  it('refuses a DeepSeek key where Perplexity’s is asked for', () => {
    expect(readGivenKeys('perplexity', SK)).toMatchObject({ ok: false });
    expect(readGivenKeys('perplexity', PX)).toEqual({ ok: true, values: [PX] });
  });

  it('repeats nothing of a text that it refuses', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 9, maxLength: 200 }), (text) => {
        const read = readGivenKeys('deepseek', text);
        if (read.ok) return;
        for (let at = 0; at + 9 <= text.length; at++) {
          expect(read.problem).not.toContain(text.slice(at, at + 9));
        }
      }),
    );
  });
});
