/** The built program on a pseudo-terminal, by way of util-linux `script`. */

import { spawn, spawnSync } from 'node:child_process';
import { childEnvironment, PROGRAM, type Variables } from './program.ts';

export const hasTerminal = spawnSync('script', ['--version']).status === 0;

/** A prompt that never comes, or a program that does not end, has to fail and not to hang. */
const PATIENCE_MS = 20_000;

/**
 * Runs `keypool-mcp COMMAND` in a shell on a terminal and types `keys` when the prompt is there.
 *
 * @param keys or what is done before they are known; of a list, one at each prompt
 * @param prompt what the terminal shows then
 * @param program the built program
 * @returns what the terminal showed
 */
export function typeAt(
  command: string,
  env: Variables,
  keys: string | readonly string[] | (() => Promise<string>),
  prompt: RegExp = /not shown|\[y\/N\]/,
  program: string = PROGRAM,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const line = `${process.execPath} ${program} ${command}`;
  const child = spawn('script', ['-qec', line, '/dev/null'], {
    env: childEnvironment(env),
    stdio: 'pipe',
  });
  const giveUp = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  const waiting = typeof keys === 'object' ? [...keys] : [keys];
  let output = '';
  /** Up to where a prompt was answered. */
  let answered = 0;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
    if (!prompt.test(output.slice(answered))) return;
    answered = output.length;
    const next = waiting.shift();
    if (next === undefined) return;
    const typed = typeof next === 'string' ? Promise.resolve(next) : next();
    void typed.then((text) => child.stdin.write(text));
  });
  return new Promise((resolve) => {
    child.on('close', (code) => {
      clearTimeout(giveUp);
      resolve({ code, output });
    });
  });
}
