import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withoutReasoning, withoutTokens } from '../../../src/tools/code/special-tokens.ts';

const TOKENS = ['<|im_end|>', '<｜end▁of▁sentence｜>', '<s>', '</s>', '[INST]', '[/INST]'];
const BLANKS = [' ', '\n', '\t', '\r'];
const OTHERS = ['a', '>', ']', '<', '[', 'x ->', '</b>', '<|', '\u0001', '\u000e'];

describe('tokens for the end of a turn', () => {
  const parts = fc.array(fc.constantFrom(...TOKENS, ...BLANKS, ...OTHERS), { maxLength: 12 });

  it('go from both ends, with the blanks that lie outside of them, and nothing else goes', () => {
    fc.assert(
      fc.property(parts, (all) => {
        const text = all.join('');
        const isToken = (part: string | undefined): boolean => TOKENS.includes(part ?? '');
        const isBlank = (part: string): boolean => BLANKS.includes(part);
        const isGone = (part: string): boolean => isToken(part) || isBlank(part);
        // Tokens and blanks at both ends, as far as the innermost token.
        const firstKept = all.findIndex((part) => !isGone(part));
        const lastKept = all.findLastIndex((part) => !isGone(part));
        if (firstKept === -1) {
          const expected = all.some((part) => isToken(part)) ? '' : text;
          expect(withoutTokens(text).trim()).toBe(expected.trim());
          return;
        }
        const head = all.slice(0, firstKept).findLastIndex(isToken) + 1;
        const tail = all.findIndex((part, at) => at > lastKept && isToken(part));
        const kept = all.slice(head, tail === -1 ? all.length : tail);
        // Two parts may make a token together.
        const joined = kept.join('');
        fc.pre(!/<\|[^<]*\|>|<a>|\[a\]/.test(joined));
        expect(withoutTokens(text)).toBe(joined);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each(['<|im_end|> a', ' <s>\n[INST] a', '\r\n</s> a'])('take the front off: %j', (text) => {
    expect(withoutTokens(text)).toBe(' a');
  });

  it('leave text as it is that only holds one, or ends with what is none', () => {
    for (const text of ['a </s> b', 'f("</s>") ->', ' a\n', '[a]', 'a[INST', '<|a']) {
      expect(withoutTokens(text)).toBe(text);
    }
  });
});

describe('reasoning inside an answer', () => {
  it.each([
    ['Hm.\n</think>\n\nYes.', 'Yes.'],
    ['Hm.\n  </thinking> Yes.', 'Yes.'],
    ['Hm.\n</think>\nSee `<think>`.', 'See `<think>`.'],
    ['Yes.\n</think>\n', 'Yes.\n'],
    ['<think>Yes, of course', 'Yes, of course'],
    ['  <THINKING>Hm.</thinking>  Yes.', 'Yes.'],
    ['print("</think>")', 'print("</think>")'],
    [
      'A `<think>` opens it.\n</think>\nThat closes it.',
      'A `<think>` opens it.\n</think>\nThat closes it.',
    ],
  ])('%j leaves %j', (answer, rest) => {
    expect(withoutReasoning(answer)).toBe(rest);
  });
});
