/** The built program as a child process: every line of stdout, all of stderr, how it ended. */

import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const PROGRAM = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

export type Variables = Readonly<Record<string, string>>;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProgramOptions {
  readonly args?: readonly string[];
  /** Besides PATH; nothing else of the test's own environment gets through. */
  readonly env: Variables;
  readonly cwd?: string;
  /** Another build's `cli.js`. */
  readonly file?: string;
}

/** PATH and what is given: what a careful client passes on. */
export function childEnvironment(env: Variables): Record<string, string> {
  return { PATH: process.env.PATH ?? '', ...env };
}

export class Program {
  /** Every complete line of stdout so far. */
  readonly lines: string[] = [];
  readonly exit: Promise<Exit>;
  onLine: ((line: string) => void) | undefined;
  readonly #child: ChildProcess;
  #rest = '';
  #stderr = '';

  constructor(options: ProgramOptions) {
    this.#child = spawn(process.execPath, [options.file ?? PROGRAM, ...(options.args ?? [])], {
      env: childEnvironment(options.env),
      stdio: 'pipe',
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (chunk: string) => this.#read(chunk));
    this.#child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      this.#stderr += chunk;
    });
    // Writing to a child that has left is the child's business, not a failure of the test.
    this.#child.stdin?.on('error', () => undefined);
    this.exit = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => resolve({ code, signal }));
    });
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Everything on stdout, the unfinished last line included. */
  get stdout(): string {
    return this.lines.map((line) => `${line}\n`).join('') + this.#rest;
  }

  #read(chunk: string): void {
    const parts = (this.#rest + chunk).split('\n');
    this.#rest = parts.pop() ?? '';
    for (const line of parts) {
      this.lines.push(line);
      this.onLine?.(line);
    }
  }

  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Closes the child's stdin. */
  end(text = ''): void {
    this.#child.stdin?.end(text);
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.#child.kill(signal);
  }
}

export interface Finished extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command to its end with `input` on stdin. */
export async function run(
  args: readonly string[],
  env: Variables,
  options: { readonly input?: string; readonly cwd?: string } = {},
): Promise<Finished> {
  const { input = '', cwd } = options;
  const program = new Program({ args, env, ...(cwd === undefined ? {} : { cwd }) });
  program.end(input);
  const exit = await program.exit;
  return { ...exit, stdout: program.stdout, stderr: program.stderr };
}
