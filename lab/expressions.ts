/**
 * Every regular expression of the sources, and which of them are worse than linear on some text.
 *
 * scslre finds them by their structure: the checker behind eslint-plugin-regexp, plain JavaScript,
 * maintained with it. Where it reports nothing, no text makes the expression slow. The parser is the
 * bundler's own.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAst } from 'rolldown/parseAst';
import { analyse } from 'scslre';

export interface Expression {
  /** Path below the folder. */
  readonly file: string;
  /** As it is written, or how it is made where that is not known before it runs. */
  readonly source: string;
  readonly isMade: boolean;
  /** Trade: two parts share characters; Self: a part repeats itself; Move: every start fails late. */
  readonly slow: readonly string[];
}

function isNode(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function* nodesOf(value: unknown): Generator<Readonly<Record<string, unknown>>> {
  if (!isNode(value)) return;
  yield value;
  for (const part of Object.values(value)) yield* nodesOf(part);
}

function slowParts(pattern: string, flags: string): string[] {
  const { reports } = analyse(new RegExp(pattern, flags));
  return reports.map(({ type, exponential }) => (exponential ? `${type}, exponential` : type));
}

function expressionOf(
  node: Readonly<Record<string, unknown>>,
  text: string,
): Omit<Expression, 'file'> | null {
  const { regex, callee } = node;
  if (isNode(regex)) {
    const pattern = String(regex.pattern);
    const flags = String(regex.flags);
    return { source: `/${pattern}/${flags}`, isMade: false, slow: slowParts(pattern, flags) };
  }
  if (!isNode(callee) || callee.name !== 'RegExp') return null;
  return { source: text.slice(Number(node.start), Number(node.end)), isMade: true, slow: [] };
}

/** @param folder of TypeScript sources, with everything below */
export function expressionsIn(folder: string): Expression[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .flatMap((file) => {
      const text = readFileSync(join(folder, file), 'utf8');
      const found = [...nodesOf(parseAst(text, { lang: 'ts' }, file))];
      return found.flatMap((node) => {
        const expression = expressionOf(node, text);
        return expression === null ? [] : [{ file, ...expression }];
      });
    });
}
