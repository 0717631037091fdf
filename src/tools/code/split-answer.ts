/**
 * Takes code out of a model's Markdown answer: all blocks in order, and the prose around them.
 * Whatever the answer looks like, code that is in it is found.
 */

import { type CodeBlock, proseOf, type SplitAnswer } from './code-block.ts';
import { blockInLine, type Fence, fenceIn, withoutIndent } from './fences.ts';
import { fileInComment, fileNamedIn } from './file-names.ts';
import { extensionOf, isLanguage, readInfo } from './info-string.ts';
import { looksLikeCode } from './looks-like-code.ts';
import { type Matched, matchFences, type Range } from './match-fences.ts';
import { withoutReasoning, withoutTokens } from './special-tokens.ts';
import { splitUnfenced } from './unfenced.ts';

export interface AnswerHints {
  /** The language that was asked for; null when none was. */
  readonly language: string | null;
  /** The answer was cut at its token limit. */
  readonly isCut: boolean;
}

/** Lines above a block in which its file's name is looked for. */
const LOOK_BACK = 3;

/** Assumes in turn what models forget, until every block is closed. */
function bestMatch(fences: readonly Fence[], lines: readonly string[], isCut: boolean): Matched {
  const match = (closesAnywhere: boolean, lacksOpening: boolean): Matched =>
    matchFences(fences, lines.length, { isCut, closesAnywhere, lacksOpening });
  const strict = match(false, false);
  if (strict.isBalanced || isCut) return strict;
  const [first] = fences;
  const isOrphan = first !== undefined && first.info === '';
  const startsAsCode =
    isOrphan && looksLikeCode([...lines.slice(0, first.line), first.before].join('\n'));
  const assumptions = startsAsCode ? ([true, false] as const) : ([false] as const);
  for (const lacksOpening of assumptions) {
    for (const closesAnywhere of [false, true]) {
      const found = match(closesAnywhere, lacksOpening);
      if (found.isBalanced) return found;
    }
  }
  return strict;
}

/** The code of a range, without what its fences and the model's habits left in it. */
function codeLines({ open, from, to, close }: Range, lines: readonly string[]): string[] {
  const code = lines.slice(from, to);
  if (close !== null && close.before !== '') code[code.length - 1] = close.before;
  const last = code.length - 1;
  if (last >= 0) code[last] = withoutTokens(code[last] ?? '');
  return code.map((line) => withoutIndent(line, open?.indent ?? 0));
}

function blockOf(range: Range, lines: readonly string[], named: string | null): CodeBlock {
  const code = codeLines(range, lines);
  const info = readInfo(range.open?.info ?? '');
  if (info.code !== '') code.unshift(info.code);
  // A fence that got lost may have left its language behind.
  const label = range.open === null ? (code[0]?.trim() ?? '') : '';
  const isLabelled = code.length > 1 && isLanguage(label);
  if (isLabelled) code.shift();
  const file = info.file ?? named ?? fileInComment(code[0] ?? '');
  const told = info.language ?? (isLabelled ? label : null);
  return {
    language: told ?? (file === null ? null : extensionOf(file)),
    file,
    code: code.join('\n'),
  };
}

/** One answer on its way from lines to blocks and prose. */
class Splitting {
  readonly blocks: CodeBlock[] = [];
  readonly prose: string[] = [];
  readonly #lines: readonly string[];
  /** Where the prose since the last block begins. */
  #since = 0;

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  /** Takes the name out of the lines above a block, if they hold nothing else. */
  #takeName(): string | null {
    for (let back = 1; back <= LOOK_BACK; back++) {
      const at = this.prose.length - back;
      const line = this.prose[at];
      if (line === undefined || at < this.#since) return null;
      if (line.trim() === '') continue;
      const named = fileNamedIn(line);
      if (named?.isAlone === true) this.prose.splice(at, 1);
      return named?.file ?? null;
    }
    return null;
  }

  addRange(range: Range): void {
    const { open, close } = range;
    if (open !== null && open.before !== '') this.prose.push(open.before.trimEnd());
    const block = blockOf(range, this.#lines, this.#takeName());
    const { caption } = readInfo(open?.info ?? '');
    this.prose.push(caption);
    if (block.code.trim() !== '') this.blocks.push(block);
    this.#endBlock();
    if (close !== null) this.prose.push(close.info);
  }

  #endBlock(): void {
    this.prose.push('');
    this.#since = this.prose.length;
  }

  addLine(line: string): void {
    const code = blockInLine(line);
    if (code === null) {
      this.prose.push(line);
      return;
    }
    const language = code.split(/\s/, 1)[0] ?? '';
    const rest = code.slice(language.length).trim();
    const isTold = rest !== '' && isLanguage(language);
    const file = this.#takeName();
    this.blocks.push({ language: isTold ? language : null, file, code: isTold ? rest : code });
    this.#endBlock();
  }
}

function splitAtFences(lines: readonly string[], isCut: boolean): SplitAnswer {
  const fences = lines.map(fenceIn).filter((fence) => fence !== null);
  const { ranges } = bestMatch(fences, lines, isCut);
  const splitting = new Splitting(lines);
  let at = 0;
  for (const range of ranges) {
    const start = range.open?.line ?? 0;
    for (; at < start; at++) splitting.addLine(lines[at] ?? '');
    splitting.addRange(range);
    at = range.close === null ? range.to : range.close.line + 1;
  }
  for (; at < lines.length; at++) splitting.addLine(lines[at] ?? '');
  return { blocks: splitting.blocks, prose: proseOf(splitting.prose) };
}

/** A Markdown file that was asked for, and came without a fence around it. */
function isFileItself(text: string, blocks: readonly CodeBlock[], language: string | null) {
  if (language === null || !/^(?:markdown|md|mdx)$/i.test(language)) return false;
  const isWrapped = blocks.some((block) => /^(?:markdown|md|mdx)$/i.test(block.language ?? ''));
  return !isWrapped && /^(?:#{1,6}\s|---\n)/.test(text);
}

const QUOTED = /^ {0,3}> ?/;
const QUOTED_FENCE = /^ {0,3}> ?\s{0,3}(?:`{3}|~{3})/;

/** An answer that quotes its blocks is read without the marks of the quotation. */
function withoutQuotation(lines: readonly string[]): readonly string[] {
  const fenced = lines.filter((line) => line.includes('```') || line.includes('~~~'));
  const isQuoted = fenced.length > 0 && fenced.every((line) => QUOTED_FENCE.test(line));
  return isQuoted ? lines.map((line) => line.replace(QUOTED, '')) : lines;
}

/**
 * Splits an answer into code and prose.
 *
 * @param answer with `\n` line ends
 */
export function splitAnswer(answer: string, hints: AnswerHints): SplitAnswer {
  const text = withoutTokens(withoutReasoning(withoutTokens(answer)));
  const split = splitAtFences(withoutQuotation(text.split('\n')), hints.isCut);
  if (isFileItself(text, split.blocks, hints.language)) {
    return { blocks: [{ language: 'markdown', file: null, code: text.trim() }], prose: '' };
  }
  if (split.blocks.length > 0) return split;
  return splitUnfenced(text.includes('```') ? split.prose : text, hints.language);
}
