/** The master key as a command prints it. No message repeats the command: it may hold a secret. */

import { isAbsolute } from 'node:path';
import { KeyStoreError } from '../../base/errors.ts';
import { explainResult, runProgram } from './run-program.ts';
import { splitWords } from './split-words.ts';

const NO_SHELL =
  'no shell runs it: ~, $VARIABLES, | and > mean nothing; quote what has spaces in it';

function wordsOf(line: string, subject: string): { program: string; args: readonly string[] } {
  const words = splitWords(line);
  const [program = '', ...args] = words ?? [];
  if (program === '') {
    const what = words === null ? 'has a quote that is not closed' : 'names no program';
    throw new KeyStoreError('bad_master', `${subject} ${what}`, { hint: NO_SHELL });
  }
  if (/^kpm1_/i.test(program)) {
    throw new KeyStoreError('bad_master', `${subject} is a master key`, {
      hint: 'put the key into MASTER_ENCRYPTION_KEY',
    });
  }
  if (/[\\/]/.test(program) && !isAbsolute(program)) {
    throw new KeyStoreError('bad_master', `${subject} begins with a relative path`, {
      hint: `write its full path, or its name alone; ${NO_SHELL}`,
    });
  }
  return { program, args };
}

async function run(line: string, subject: string): Promise<string> {
  const { program, args } = wordsOf(line, subject);
  const result = await runProgram(program, args);
  const fail = (what: string, hint: string): KeyStoreError =>
    new KeyStoreError('bad_master', `${subject} ${what}`, { hint });
  if (result.ended !== 'well') {
    const { what, hint } = explainResult(result);
    throw fail(what, hint);
  }
  const text = result.output.replace(/\r?\n$/, '');
  if (text.trim() === '') throw fail('printed nothing', 'run it yourself in a terminal');
  if (/[\r\n]/.test(text)) {
    throw fail('printed more than one line', 'the master key has to be all that it prints');
  }
  return text;
}

/** What each command printed: it may ask a person to unlock something, and that once. */
const printed = new Map<string, Promise<string>>();

/**
 * @param subject what the messages begin with: where the command stands
 * @param isFresh runs it again: what it printed opens the store no more
 * @throws KeyStoreError bad_master
 */
export function readByCommand(line: string, subject: string, isFresh: boolean): Promise<string> {
  const known = isFresh ? undefined : printed.get(line);
  if (known !== undefined) return known;
  const text = run(line, subject);
  printed.set(line, text);
  // A failure is no answer: whoever asks next may have unlocked it.
  text.catch(() => printed.delete(line));
  return text;
}
