/** Runs somebody's program without a shell: a secret goes in by its stdin and out by its stdout. */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { dirname } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { systemCode } from '../../base/system/system-error.ts';

const LIMIT_MS = 30_000;
/** A secret is a line; what says more than this is another program. */
const MAX_OUTPUT = 65_536;

export type ProgramResult =
  | { readonly ended: 'well'; readonly output: string }
  | { readonly ended: 'failed'; readonly how: string }
  | { readonly ended: 'missing' | 'forbidden' | 'late' | 'talkative' };

/**
 * What it says on stderr is not read: it may hold anything. Never throws.
 *
 * @param input for its stdin; without it, its stdin is empty, and never ours, which a client owns
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  input = '',
): Promise<ProgramResult> {
  try {
    // The working directory is somebody's repository, and Windows looks for programs there first.
    const child = spawn(program, args, {
      cwd: dirname(process.execPath),
      stdio: ['pipe', 'pipe', 'ignore'],
      windowsHide: true,
    });
    return await resultOf(child, input);
  } catch {
    // A character that no argument may hold.
    return { ended: 'failed', how: 'cannot be started' };
  }
}

function resultOf(
  child: ChildProcessByStdio<Writable, Readable, null>,
  input: string,
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const kill = (): void => void child.kill('SIGKILL');
    const end = (result: ProgramResult): void => {
      clearTimeout(timer);
      process.off('exit', kill);
      resolve(result);
    };
    const giveUp = (ended: 'late' | 'talkative'): void => {
      kill();
      // A child of its own may hold the pipe for longer.
      child.stdout.destroy();
      end({ ended });
    };
    const timer = setTimeout(() => giveUp('late'), LIMIT_MS);
    process.once('exit', kill);
    const chunks: Buffer[] = [];
    let size = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MAX_OUTPUT) giveUp('talkative');
    });
    child.on('error', (error) => {
      const code = systemCode(error);
      if (code === 'EACCES') end({ ended: 'forbidden' });
      else
        end(code === 'ENOENT' ? { ended: 'missing' } : { ended: 'failed', how: 'did not start' });
    });
    child.on('close', (code, signal) => {
      const output = Buffer.concat(chunks).toString('utf8');
      if (code === 0) end({ ended: 'well', output });
      else end({ ended: 'failed', how: `ended with ${signal ?? `exit code ${code}`}` });
    });
    // It may have ended without having read.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

const TERMINAL = 'run the command yourself in a terminal';

/** What went wrong, in words that follow the name of what was run, and what to do. */
export function explainResult(result: Exclude<ProgramResult, { ended: 'well' }>): {
  readonly what: string;
  readonly hint: string;
} {
  switch (result.ended) {
    case 'missing':
      return {
        what: 'was not found',
        hint: 'is it installed? A client that is started from the desktop may have a shorter PATH: write its full path, one with blanks in quotes of its own',
      };
    case 'forbidden':
      return {
        what: 'may not be run: no permission',
        hint: 'check the file and its mode; a path with blanks stands in quotes of its own',
      };
    case 'late':
      return {
        what: `did not end within ${LIMIT_MS / 1_000} s`,
        hint: `it may wait for somebody to unlock it: ${TERMINAL}, then start the client again`,
      };
    case 'talkative':
      return { what: 'printed too much for a master key', hint: TERMINAL };
    case 'failed':
      return {
        what: result.how,
        hint: `${TERMINAL}: is it unlocked, are you signed in? Over SSH and in services there may be no session for it`,
      };
  }
}
