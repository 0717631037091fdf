/** Code in an answer without fences: all of it, between sentences, or in spans. */

import { type CodeBlock, proseOf, type SplitAnswer } from './code-block.ts';
import { spansIn } from './fences.ts';
import { isProseLine, isStatement, looksLikeCode } from './looks-like-code.ts';

const PROSE_LANGUAGE = /^(?:markdown|md|mdx|text|txt|plain ?text|plain)$/i;
const TABLE_LANGUAGE = /^(?:csv|tsv)$/i;
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

/**
 * Mostly code: a sentence before it and one after it are no part of it.
 *
 * @param isSaid tells a sentence
 */
function splitCode(lines: readonly string[], isSaid: (line: string) => boolean): SplitAnswer {
  const isWithin = (line: string): boolean =>
    !isBlank(line) && (IN_CODE.test(line) || !isSaid(line));
  const first = lines.findIndex(isWithin);
  const last = lines.findLastIndex(isWithin);
  const code = codeOf(lines.slice(first, last + 1));
  const prose = proseOf([...lines.slice(0, first), '', ...lines.slice(last + 1)]);
  return { blocks: code === '' ? [] : [block(code)], prose };
}

/** A step of an instruction, "1. Open the file", or a row of a table. */
const LISTED = /^\s{0,8}(?:(?:[-*+]|\d{1,3}[.)])\s{1,4}\p{L}|\|.{0,400}\|\s{0,8}$)/u;
/** `PROCEDURE DIVISION.` is none of the sentences that people write. */
const isInCapitals = (text: string): boolean =>
  /\p{Lu}{2}/u.test(text) && !/[\p{Ll}\p{Lo}]/u.test(text);
const MARK = /[{}();=<>[\]_\\$|&*:/"]/;

function isSaid(line: string): boolean {
  const text = line.slice(0, 400);
  return LISTED.test(text) || (isProseLine(text) && !isInCapitals(text));
}

/** No line that a common language has, and not mostly sentences either: as Lisp or Prolog look. */
function isForeignCode(lines: readonly string[]): boolean {
  const told = lines.filter((line) => !isBlank(line));
  const said = told.filter(isSaid);
  const isMostlyCode = told.length > 1 && said.length * 2 < told.length;
  return isMostlyCode && told.some((line) => MARK.test(line));
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

/** A table, which is no sentence and no statement: from its first row to the next blank line. */
function splitTable(lines: readonly string[]): SplitAnswer | null {
  const first = lines.findIndex((line) => /[,;\t]/.test(line) && !isProseLine(line));
  if (first === -1) return null;
  const blank = lines.findIndex((line, at) => at > first && isBlank(line));
  const end = blank === -1 ? lines.length : blank;
  const prose = proseOf([...lines.slice(0, first), '', ...lines.slice(end)]);
  return { blocks: [block(lines.slice(first, end).join('\n'))], prose };
}

/** @param language the one that was asked for; null when none was */
export function splitUnfenced(text: string, language: string | null): SplitAnswer {
  const lines = text.split('\n');
  if (language !== null && PROSE_LANGUAGE.test(language)) {
    const code = codeOf(lines);
    return { blocks: code === '' ? [] : [block(code)], prose: '' };
  }
  if (language !== null && TABLE_LANGUAGE.test(language)) {
    const table = splitTable(lines);
    if (table !== null) return table;
  }
  const spans = lines.flatMap(spansIn);
  if (spans.length > 0) return { blocks: spans.map(block), prose: text.trim() };
  const lone = lines.map((line) => LONE_SPAN.exec(line)?.[1] ?? '');
  const isSpanned = lines.every((line, at) => isBlank(line) || lone[at] !== '');
  if (!isSpanned) {
    if (looksLikeCode(text)) return splitCode(lines, isProseLine);
    const found = splitProse(lines);
    if (found.blocks.length > 0) return found;
    if (language !== null && isForeignCode(lines)) return splitCode(lines, isSaid);
  }
  const code = lone.filter((each) => each.trim() !== '');
  const prose = isSpanned ? '' : text.trim();
  return { blocks: code.length === 0 ? [] : [block(code.join('\n'))], prose };
}
