/** What a line of tasks or results holds. */

import { parseRecord } from '../base/text/json.ts';
import { decodeUtf8 } from '../base/text/strict-utf8.ts';
import { type Line, readLines } from '../disk/lines.ts';

/** Prompt and context are 400,000 characters each, which JSON may escape to six bytes apiece. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024;

export function readTaskLines(path: string): AsyncGenerator<Line> {
  return readLines(path, MAX_LINE_BYTES);
}

/** The line as text without a byte order mark and surrounding white space; null: not UTF-8. */
export function lineText(line: Line): string | null {
  return decodeUtf8(line.bytes)?.trim() ?? null;
}

export type LineObject = Readonly<Record<string, unknown>>;

/** The object that a line holds; null when it holds anything else. */
export function lineObject(line: Line): LineObject | null {
  const text = lineText(line);
  return text === null ? null : parseRecord(text);
}

export type TaskId = string | number;

/** The id of a task or result, 1 and "1" being the same; null when it is none. */
export function idOf(object: LineObject): TaskId | null {
  const { id } = object;
  if (typeof id === 'string' && id !== '') return id;
  return typeof id === 'number' && Number.isSafeInteger(id) ? id : null;
}
