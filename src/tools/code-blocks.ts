/**
 * Takes code out of a model's Markdown answer. Fences as in CommonMark 0.31 section 4.5 (backticks
 * or tildes, three or more, closed by at least as many), and what models do beyond it: fences in
 * list items, fences never closed, a Markdown file that itself holds fences.
 */

export interface CodeBlock {
  /** As the fence tells it; null when it does not. */
  readonly language: string | null;
  readonly code: string;
  /** False when the answer ended before the fence did. */
  readonly closed: boolean;
}

export interface SplitAnswer {
  /** In order; empty when there is no fence at all. */
  readonly blocks: readonly CodeBlock[];
  /** The text around the blocks, trimmed; empty when there is none. */
  readonly prose: string;
}

interface Fence {
  readonly indent: number;
  readonly mark: string;
  readonly length: number;
  readonly info: string;
}

/** Indentation, or a list marker in its place; then the fence; then the info string. */
const OPENING =
  /^([ \t]*(?:(?:[-*+]|\d{1,3}[.)])[ \t]+)?)(`{3,}(?=[^`]*$)|~{3,})[ \t]*(.*?)[ \t]*$/;
const ONE_LINE = /^[ \t]*(`{3,})([^`]+)\1[ \t]*$/;
/** The language, in the forms `ts`, `.ts`, `{.ts}` and `language-ts`; then the rest. */
const INFO = /^(?:language-|\{?\.)?([a-z0-9][a-z0-9+#_-]{0,39})(?:[\s:,}]+|$|(?=\{))(.*)$/i;
const FILE_NAME = /^[\w./\\-]{1,200}\.([a-z0-9]{1,10})$/i;
/** Languages whose files hold fences of their own. */
const MARKDOWN = new Set(['markdown', 'md', 'mdx', 'rmd', 'qmd']);

function openingFence(line: string): Fence | null {
  const match = OPENING.exec(line);
  if (match === null) return null;
  const [, indent = '', marks = '', info = ''] = match;
  return { indent: indent.length, mark: marks.charAt(0), length: marks.length, info };
}

/** What an info string tells: the language, and the rest, which is a file name as a rule. */
function readInfo(info: string): { readonly language: string | null; readonly caption: string } {
  const extension = FILE_NAME.exec(info)?.[1];
  if (extension !== undefined) return { language: extension, caption: info };
  const [, language = null, caption = ''] = INFO.exec(info) ?? [null, null, info];
  return { language, caption };
}

/** More indented than a closing fence may be: it is part of the code. */
function isDeeper(line: string, fence: Fence): boolean {
  return line.length - line.trimStart().length > fence.indent + 3;
}

function closes(line: string, fence: Fence): boolean {
  if (isDeeper(line, fence)) return false;
  const text = line.trim();
  return text.length >= fence.length && text === fence.mark.repeat(text.length);
}

/** A fence that a bare closing fence as long as `outer`'s would not close. */
function opensInside(inner: Fence, outer: Fence): boolean {
  return inner.info !== '' && inner.mark === outer.mark && inner.length >= outer.length;
}

function withoutIndent(line: string, indent: number): string {
  let at = 0;
  while (at < indent && (line[at] === ' ' || line[at] === '\t')) at++;
  return line.slice(at);
}

/** Reads one block whose opening fence stood on the line before `from`. */
function readBlock(
  lines: readonly string[],
  from: number,
  fence: Fence,
): { block: CodeBlock; next: number } {
  const { language } = readInfo(fence.info);
  const nests = language !== null && MARKDOWN.has(language.toLowerCase());
  const code: string[] = [];
  let depth = 1;
  let at = from;
  for (; at < lines.length; at++) {
    const line = lines[at] ?? '';
    // Inside a Markdown file a fence that tells a language opens; only a bare one can close.
    const inner = nests && !isDeeper(line, fence) ? openingFence(line) : null;
    if (inner !== null && opensInside(inner, fence)) depth++;
    else if (closes(line, fence) && --depth === 0) break;
    code.push(withoutIndent(line, fence.indent));
  }
  const closed = at < lines.length;
  return { block: { language, code: code.join('\n'), closed }, next: at + 1 };
}

/**
 * Splits an answer into code and prose.
 *
 * @param answer with `\n` line ends
 */
export function splitAnswer(answer: string): SplitAnswer {
  const lines = answer.split('\n');
  const blocks: CodeBlock[] = [];
  const prose: string[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] ?? '';
    at++;
    const single = ONE_LINE.exec(line)?.[2];
    const fence = single === undefined ? openingFence(line) : null;
    if (single !== undefined) {
      blocks.push({ language: null, code: single.trim(), closed: true });
    } else if (fence !== null) {
      const { block, next } = readBlock(lines, at, fence);
      const { caption } = readInfo(fence.info);
      if (caption !== '') prose.push(caption);
      prose.push('');
      blocks.push(block);
      at = next;
    } else {
      prose.push(line);
    }
  }
  const around = prose
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
  return { blocks, prose: around };
}

/** Reasoning that a model wrote into its answer instead of beside it. */
export function withoutReasoning(answer: string): string {
  return answer.replace(/^\s*<think(?:ing)?>[\s\S]*?<\/think(?:ing)?>\s*/i, '');
}
