/** The values in a line of notes and the words beside them, as people set them. Pure. */

import { PROVIDERS } from '../../base/errors.ts';
import { valueFitOf } from '../../base/keys/key-values.ts';
import type { Token } from './tokens.ts';
import { readWords, stripDecoration, type Words } from './words.ts';

/** A soft wrap, a mail or a chat broke it: the two lines together have a provider's exact form. */
export function isCutInTwo(line: string, next: string): boolean {
  const head = /(?:sk-|pplx-)[A-Za-z0-9]{4,47}$/.exec(line.trimEnd())?.[0];
  const tail = /^\s*((?=[A-Za-z]*\d)[A-Za-z0-9]{1,47})["'`,.;]{0,3}\s*$/.exec(next)?.[1];
  if (head === undefined || tail === undefined) return false;
  return PROVIDERS.some((provider) => valueFitOf(provider, head + tail) === 'own');
}

/**
 * The label of each value: what stands before it, back to the value before; where the first has
 * none, what follows. Where one value is alone on its line, a remark behind it counts as well.
 */
export function labelsOf(line: string, tokens: readonly Token[]): Words[] {
  const words = wordsOf(line, tokens);
  // `~~DeepSeek: …~~` is struck out, whatever stands behind it.
  const isStruck = ({ start }: Token): boolean => line.slice(0, start).split('~~').length % 2 === 0;
  return words.map((label, at) => {
    const token = tokens[at];
    const isOut = token !== undefined && isStruck(token) && line.includes('~~', token.end);
    return isOut ? { ...label, saysStale: true } : label;
  });
}

function wordsOf(line: string, tokens: readonly Token[]): Words[] {
  const clean = (text: string): string =>
    stripDecoration(text.replace(/https?:\/\/(?:www\.)?/g, ' '));
  const before = tokens.map((token, at) =>
    clean(line.slice(tokens[at - 1]?.end ?? 0, token.start)),
  );
  const after = tokens.map((token, at) => clean(line.slice(token.end, tokens[at + 1]?.start)));
  const first = readWords(before[0] ?? '');
  if (tokens.length === 1) {
    const remark = after[0] ?? '';
    const label = first.count === 0 ? readWords(remark) : withRemark(first, readWords(remark));
    return [label];
  }
  const texts = first.count === 0 && readWords(after[0] ?? '').count > 0 ? after : before;
  const labels: Words[] = [];
  for (const text of texts) {
    const words = readWords(text);
    const last = labels.at(-1);
    // "DeepSeek: one, two": the second has the label of the first, and no number of its own.
    labels.push(words.count === 0 && last !== undefined ? { ...last, number: null } : words);
  }
  return labels;
}

/** A remark behind a key says that it is out of use, or a name where the label has none. */
function withRemark(label: Words, remark: Words): Words {
  const providers = label.providers.size > 0 ? label.providers : remark.providers;
  return { ...label, providers, saysStale: label.saysStale || remark.saysStale };
}
