/** The built-in table, or the user's `prices.json` in the home folder, which replaces it whole. */

import { join } from 'node:path';
import { DiskError } from '../../base/errors.ts';
import { readWholeFile } from '../../disk/read-file.ts';
import { isLiteLlm, parseLiteLlm } from './litellm.ts';
import { parsePriceTable } from './parse-table.ts';
import type { PriceTable } from './price-table.ts';
import builtInTable from './prices.json' with { type: 'json' };
import { PriceTableError } from './table-reader.ts';

/** LiteLLM's file has about one megabyte. */
const MAX_BYTES = 16 * 1024 * 1024;

export interface LoadedPrices {
  readonly table: PriceTable;
  /** One sentence about a file of the user's that could not be used; null when all is well. */
  readonly problem: string | null;
}

let builtIn: PriceTable | null = null;

export function builtInPrices(): PriceTable {
  builtIn ??= parsePriceTable(builtInTable, 'built in');
  return builtIn;
}

export function pricesPath(home: string): string {
  return join(home, 'prices.json');
}

interface Placed {
  readonly line: unknown;
  readonly column: unknown;
}

function isPlaced(error: unknown): error is Error & Placed {
  return error instanceof Error && 'line' in error && 'column' in error;
}

/** The line on which the value at `path` stands, or the nearest value around it. */
async function lineOf(text: string, path: readonly (string | number)[]): Promise<number | null> {
  const { parse } = await import('@humanwhocodes/momoa');
  let node = parse(text).body;
  let { line } = node.loc.start;
  for (const step of path) {
    if (node.type === 'Object') {
      const member = node.members.find(({ name }) => name.type === 'String' && name.value === step);
      if (member === undefined) return line;
      ({ line } = member.loc.start);
      node = member.value;
    } else if (node.type === 'Array' && typeof step === 'number') {
      const element = node.elements[step];
      if (element === undefined) return line;
      node = element.value;
      ({ line } = node.loc.start);
    } else return line;
  }
  return line;
}

/** Where text stops being JSON. The parser's own message quotes the file: only the place is told. */
async function syntaxProblem(text: string): Promise<string> {
  const { parse } = await import('@humanwhocodes/momoa');
  try {
    parse(text);
  } catch (error) {
    if (isPlaced(error)) return `line ${error.line}, column ${error.column} is not JSON`;
  }
  return 'it is not JSON';
}

async function problemOf(text: string, error: unknown): Promise<string> {
  if (error instanceof SyntaxError) return syntaxProblem(text);
  if (!(error instanceof PriceTableError)) throw error;
  const line = await lineOf(text, error.path).catch(() => null);
  return `${line === null ? '' : `line ${line}: `}${error.message}`;
}

/** @returns null where there is no file */
async function readUserFile(path: string): Promise<string | null> {
  try {
    const { bytes } = await readWholeFile(path, MAX_BYTES);
    return bytes.toString('utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    if (error instanceof DiskError && error.code === 'missing') return null;
    throw error;
  }
}

/** Never throws for what is in the file: the built-in prices then stand in for it. */
export async function loadPrices(home: string): Promise<LoadedPrices> {
  const path = pricesPath(home);
  const base = builtInPrices();
  const instead = (why: string): LoadedPrices => ({
    table: base,
    problem: `the price table ${path} is not used: ${why}; the built-in prices of ${base.read} are`,
  });
  let text: string | null;
  try {
    text = await readUserFile(path);
  } catch {
    return instead('it cannot be read');
  }
  if (text === null) return { table: base, problem: null };
  try {
    const value: unknown = JSON.parse(text);
    const table = isLiteLlm(value) ? parseLiteLlm(value, path, base) : parsePriceTable(value, path);
    return { table, problem: null };
  } catch (error) {
    return instead(await problemOf(text, error));
  }
}
