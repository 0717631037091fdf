/**
 * While stdout carries JSON-RPC, nothing else may: one line printed by a dependency ends the
 * client's session. Whatever is printed becomes a log line on stderr, where every line is JSON.
 */

import type { Logger } from '../../base/logger.ts';

type Write = (text: string, done: (error?: Error | null) => void) => void;

function lastFunction(args: readonly unknown[]): (() => void) | undefined {
  const last = args.at(-1);
  return typeof last === 'function' ? () => Reflect.apply(last, undefined, []) : undefined;
}

/** Keeps stdout for whoever holds the returned function. For the rest of the process's life. */
export function claimStdout(logger: Logger): Write {
  const { stdout } = process;
  const original = stdout.write.bind(stdout);
  const stray = (chunk: unknown, ...rest: unknown[]): boolean => {
    const text = typeof chunk === 'string' ? chunk : Buffer.from(toBytes(chunk)).toString('utf8');
    // An empty write asks whether everything is out: that is the real stream's to answer.
    if (text === '') return original('', () => lastFunction(rest)?.());
    logger.warn('stray output kept off stdout', { text: text.trimEnd() });
    lastFunction(rest)?.();
    return true;
  };
  stdout.write = stray;
  return (text, done) => void original(text, done);
}

function toBytes(chunk: unknown): Uint8Array {
  return chunk instanceof Uint8Array ? chunk : new TextEncoder().encode(String(chunk));
}
