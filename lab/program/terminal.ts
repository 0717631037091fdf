/** The built program on a pseudo-terminal, by way of util-linux `script`. */

import { spawn, spawnSync } from 'node:child_process';
import { childEnvironment, PROGRAM, type Variables } from './program.ts';

export const hasTerminal = spawnSync('script', ['--version']).status === 0;

/** A prompt that never comes, or a program that does not end, has to fail and not to hang. */
const PATIENCE_MS = 20_000;

/**
 * Runs `keypool-mcp COMMAND` in a shell on a terminal and types `keys` when the prompt is there.
 *
 * @param keys or what is done before they are known
 * @param prompt what the terminal shows then
 * @returns what the terminal showed
 */
export function typeAt(
  command: string,
  env: Variables,
  keys: string | (() => Promise<string>),
  prompt: RegExp = /not shown|\[y\/N\]/,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const line = `${process.execPath} ${PROGRAM} ${command}`;
  const child = spawn('script', ['-qec', line, '/dev/null'], {
    env: childEnvironment(env),
    stdio: 'pipe',
  });
  const giveUp = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  let output = '';
  let hasTyped = false;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
    if (hasTyped || !prompt.test(output)) return;
    hasTyped = true;
    const typed = typeof keys === 'string' ? Promise.resolve(keys) : keys();
    void typed.then((text) => child.stdin.write(text));
  });
  return new Promise((resolve) => {
    child.on('close', (code) => {
      clearTimeout(giveUp);
      resolve({ code, output });
    });
  });
}
