/** Lines of a file, one at a time: memory is bounded by the longest line, not by the file. */

import { createReadStream } from 'node:fs';
import { CommandError } from '../base/errors.ts';

/** Prompt and context are 400,000 characters each, which JSON may escape to six bytes apiece. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024;

export interface Line {
  /** From 1. */
  readonly number: number;
  /** Without its line end. */
  readonly bytes: Buffer;
  /** False for a last line that the file ends in the middle of. */
  readonly isEnded: boolean;
}

const NEWLINE = 0x0a;

/**
 * Splits at line feeds only; readline would also split at U+2028, which JSON strings may hold.
 *
 * @throws CommandError for a line that is longer than any task can be
 */
export async function* readLines(path: string): AsyncGenerator<Line> {
  let number = 1;
  let parts: Buffer[] = [];
  let length = 0;
  const take = (part: Buffer): void => {
    parts.push(part);
    length += part.length;
    if (length > MAX_LINE_BYTES) {
      throw new CommandError(`line ${number} of ${path} is longer than 16 MiB`, {
        hint: 'give a file of JSON lines, one task a line',
      });
    }
  };
  const line = (isEnded: boolean): Line => {
    const bytes = Buffer.concat(parts, length);
    parts = [];
    length = 0;
    return { number: number++, bytes, isEnded };
  };
  for await (const chunk of createReadStream(path)) {
    const block: Buffer = chunk;
    let start = 0;
    for (let at = block.indexOf(NEWLINE); at >= 0; at = block.indexOf(NEWLINE, start)) {
      take(block.subarray(start, at));
      start = at + 1;
      yield line(true);
    }
    if (start < block.length) take(block.subarray(start));
  }
  if (length > 0) yield line(false);
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** The line as text without a byte order mark and surrounding white space; null: not UTF-8. */
export function lineText(line: Line): string | null {
  try {
    return decoder.decode(line.bytes).trim();
  } catch {
    return null;
  }
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** The object that a line holds; null when it holds anything else. */
export function lineObject(line: Line): JsonObject | null {
  const text = lineText(line);
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export type TaskId = string | number;

/** The id of a task or result, 1 and "1" being the same; null when it is none. */
export function idOf(object: JsonObject): TaskId | null {
  const { id } = object;
  if (typeof id === 'string' && id !== '') return id;
  return typeof id === 'number' && Number.isSafeInteger(id) ? id : null;
}
