/**
 * JSON lines on stderr; stdout belongs to JSON-RPC. Every line passes the redactor.
 *
 * Written here rather than taken from pino: it is one function, runs before anything else at
 * start-up, and every line has to pass our redactor as a whole.
 */

import type { Redactor } from './redact.ts';
import { redactJson } from './redaction/structure.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly redactor: Redactor;
  /** Takes one line, newline included. Default: stderr. */
  readonly write?: (line: string) => void;
}

/** Errors are written as name, message, stack and cause; `util.inspect` would show their fields. */
function plainError(error: Error): LogFields {
  const cause = error.cause instanceof Error ? { cause: plainError(error.cause) } : {};
  return { name: error.name, message: error.message, stack: error.stack, ...cause };
}

function serialize(_key: string, value: unknown): unknown {
  if (value instanceof Error) return plainError(value);
  if (typeof value === 'bigint') return value.toString();
  return value;
}

/** A terminal obeys C1 characters as it does escapes; JSON leaves them, and turned text, as they are. */
const UNSAFE = /\p{Cc}|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

export function createLogger(options: LoggerOptions): Logger {
  const { level, redactor } = options;
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  const threshold = LOG_LEVELS.indexOf(level);

  const at =
    (lineLevel: Exclude<LogLevel, 'silent'>) =>
    (message: string, fields: LogFields = {}): void => {
      if (LOG_LEVELS.indexOf(lineLevel) < threshold) return;
      const record = { time: new Date().toISOString(), level: lineLevel, msg: message, ...fields };
      const json = JSON.stringify(record, serialize);
      const line = redactJson(json, (text) => redactor.redactLog(text));
      write(`${line.replace(UNSAFE, escaped)}\n`);
    };

  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** For callers that have no one to tell. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
};
