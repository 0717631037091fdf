/** Code in an answer without fences: all of it, between sentences, or in spans. */

import { type CodeBlock, proseOf, type SplitAnswer } from './code-block.ts';
import { spansIn } from './fences.ts';
import { isProseLine, isStatement, looksLikeCode } from './looks-like-code.ts';

const PROSE_LANGUAGE = /^(?:markdown|md|mdx|text|txt|plain ?text|plain)$/i;
const LONE_SPAN = /^\s{0,20}`([^`]{1,2000})`\s{0,20}$/;

function isBlank(line: string): boolean {
  return line.trim() === '';
}

function block(code: string): CodeBlock {
  return { language: null, file: null, code };
}

/** Lines without the blank ones around them, and without the indentation that all of them share. */
function codeOf(lines: readonly string[]): string {
  const first = lines.findIndex((line) => !isBlank(line));
  const last = lines.findLastIndex((line) => !isBlank(line));
  const kept = lines.slice(first, last + 1);
  let shared = Number.POSITIVE_INFINITY;
  for (const line of kept) {
    if (!isBlank(line)) shared = Math.min(shared, line.length - line.trimStart().length);
  }
  return kept.map((line) => line.slice(shared)).join('\n');
}

/** Indentation, comments, docstrings and tags: sentences that are part of the code. */
const IN_CODE = /^(?:\s|#|\/[/*]|--|\*|"""|<[a-z!/])/i;

function isAround(line: string): boolean {
  return isBlank(line) || (isProseLine(line) && !IN_CODE.test(line));
}

/** Mostly code: a sentence before it and one after it are no part of it. */
function splitCode(lines: readonly string[]): SplitAnswer {
  const first = lines.findIndex((line) => !isAround(line));
  const last = lines.findLastIndex((line) => !isAround(line));
  const code = codeOf(lines.slice(first, last + 1));
  const prose = proseOf([...lines.slice(0, first), '', ...lines.slice(last + 1)]);
  return { blocks: code === '' ? [] : [block(code)], prose };
}

/** Mostly prose: the lines between two sentences are code if they look like it. */
function splitProse(lines: readonly string[]): SplitAnswer {
  const blocks: CodeBlock[] = [];
  const prose: string[] = [];
  let group: string[] = [];
  const endGroup = (): void => {
    const isCode = group.some(isStatement) && looksLikeCode(group.join('\n'));
    if (isCode) blocks.push(block(codeOf(group)));
    // No spread: a group may be longer than a call has room for.
    else for (const line of group) prose.push(line);
    group = isCode ? [''] : [];
  };
  for (const line of lines) {
    if (isBlank(line) || !isProseLine(line)) {
      group.push(line);
      continue;
    }
    endGroup();
    prose.push(...group, line);
    group = [];
  }
  endGroup();
  return { blocks, prose: proseOf(prose) };
}

/** @param language the one that was asked for; null when none was */
export function splitUnfenced(text: string, language: string | null): SplitAnswer {
  const lines = text.split('\n');
  if (language !== null && PROSE_LANGUAGE.test(language)) {
    const code = codeOf(lines);
    return { blocks: code === '' ? [] : [block(code)], prose: '' };
  }
  const spans = lines.flatMap(spansIn);
  if (spans.length > 0) return { blocks: spans.map(block), prose: text.trim() };
  const lone = lines.map((line) => LONE_SPAN.exec(line)?.[1] ?? '');
  const isSpanned = lines.every((line, at) => isBlank(line) || lone[at] !== '');
  if (!isSpanned) {
    if (looksLikeCode(text)) return splitCode(lines);
    const found = splitProse(lines);
    if (found.blocks.length > 0) return found;
  }
  const code = lone.filter((each) => each.trim() !== '');
  const prose = isSpanned ? '' : text.trim();
  return { blocks: code.length === 0 ? [] : [block(code.join('\n'))], prose };
}
