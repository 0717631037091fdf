/** How a secret comes in: typed without an echo on a terminal, or piped. Never through argv. */

import { ConfigError } from '../../base/errors.ts';
import { decodeText } from '../../base/text/decode-text.ts';
import { trimEnd } from '../../base/text/trim.ts';

/** No key is this long; whatever is larger was piped by mistake. */
const MAX_PIPED_BYTES = 64 * 1024;

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const CTRL_U = '\u0015';
const BACKSPACE = new Set(['\u0008', '\u007f']);
// biome-ignore lint/suspicious/noControlCharactersInRegex: arrow keys and paste marks begin with ESC
const ESCAPE_SEQUENCE = /\u001b\[[0-9;]*[A-Za-z~]|\u001bO[A-Z]/g;

/** What one chunk of keystrokes does to the text typed so far. */
export function applyKeystrokes(
  typed: string,
  chunk: string,
): { readonly typed: string; readonly end: 'enter' | 'cancel' | null } {
  let text = typed;
  const keys = [...chunk.replace(ESCAPE_SEQUENCE, '')];
  for (const [at, key] of keys.entries()) {
    if (key === CTRL_C) return { typed: '', end: 'cancel' };
    if (key === CTRL_D || key === '\r' || key === '\n') {
      // A paste of several lines is kept whole, so that it is refused instead of cut.
      const rest = keys
        .slice(at + 1)
        .join('')
        .trim();
      return { typed: rest === '' ? text : `${text}\n${rest}`, end: 'enter' };
    }
    if (key === CTRL_U) text = '';
    else if (BACKSPACE.has(key)) text = [...text].slice(0, -1).join('');
    else if (key >= ' ') text += key;
  }
  return { typed: text, end: null };
}

/** Somebody is there to be asked, and sees what the program says. */
export function isAtTerminal(): boolean {
  const { stdin, stdout, stderr } = process;
  return [stdin, stdout, stderr].every((stream) => stream.isTTY === true);
}

/** Asks on the terminal, without an echo; empty on a bare Enter. An AbortError on Ctrl-C. */
export function typeHidden(question: string): Promise<string> {
  const { stdin, stderr } = process;
  return new Promise((resolve, reject) => {
    let typed = '';
    const restore = (): void => {
      stdin.off('data', onData);
      process.off('SIGTERM', onTerminate);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write('\n');
    };
    const onTerminate = (): void => {
      restore();
      reject(new DOMException('ended while asking for a key', 'AbortError'));
    };
    const onData = (chunk: string): void => {
      const next = applyKeystrokes(typed, chunk);
      typed = next.typed;
      if (next.end === null) return;
      if (next.end === 'cancel') {
        onTerminate();
        return;
      }
      restore();
      resolve(typed);
    };
    stdin.setEncoding('utf8');
    stdin.on('data', onData);
    process.on('SIGTERM', onTerminate);
    // The echo ends before the question invites to type: a paste may come in the same instant.
    stdin.setRawMode(true);
    stderr.write(question);
    stdin.resume();
  });
}

/**
 * What is piped into the program, whole.
 *
 * @throws ConfigError when it is longer than `most` bytes
 */
export async function readStandardInput(most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > most) {
      throw new ConfigError('what came on standard input is too long to be a key', {
        hint: 'pipe one value, or use keypool-mcp keys import for a file of keys',
      });
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

async function readPiped(): Promise<string> {
  const text = decodeText(await readStandardInput(MAX_PIPED_BYTES))?.text;
  if (text === undefined) {
    throw new ConfigError('what came on standard input is not a text', { hint: 'pipe one value' });
  }
  return trimEnd(text, '\r\n');
}

/** Asks on the terminal; anything but a yes is a no. An AbortError on Ctrl-C. */
export async function confirm(question: string): Promise<boolean> {
  const { createInterface } = await import('node:readline/promises');
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const left = new AbortController();
  asking.once('SIGINT', () => left.abort());
  asking.once('close', () => left.abort());
  try {
    const answer = await asking.question(question, { signal: left.signal });
    return /^\s*y(?:es)?\s*$/i.test(answer);
  } finally {
    asking.close();
  }
}

/**
 * @param question shown on the terminal; not used when the value is piped
 * @throws ConfigError when nothing came; an AbortError on Ctrl-C
 */
export async function readSecret(question: string): Promise<string> {
  const isTerminal = process.stdin.isTTY === true;
  const value = isTerminal ? (await typeHidden(question)).trim() : await readPiped();
  if (value !== '') return value;
  throw new ConfigError('no value came', {
    hint: isTerminal
      ? 'type or paste the key at the prompt; it is not shown'
      : 'pipe the value into the command, or run it on a terminal to be asked for it',
  });
}
