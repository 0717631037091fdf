/**
 * A long day of the built HTTP server in a few minutes: clients that come and go, an upstream with
 * faults, and all that happens around it at once. Every answer is checked against its own prompt.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../../src/simulator/random.ts';
import { type KeyBehaviour, startSimulator } from '../../src/simulator/simulator.ts';
import { canarySecret, findLeaks, folderSinks } from '../canary.ts';
import { answer, DEEPSEEK_CHAOS, randomScript } from '../chaos/chaos.ts';
import { createHome } from '../program/test-home.ts';
import { comeAndGo, SoakTally } from './clients.ts';
import { OWNER, SoakServer } from './soaked-server.ts';
import { Troubles } from './troubles.ts';

export interface SoakOptions {
  readonly durationMs: number;
  readonly clients: number;
  readonly seed: number;
  /** Between two troubles. */
  readonly pauseMs: number;
}

export interface SoakReport {
  readonly tally: SoakTally;
  readonly troubles: ReadonlyMap<string, number>;
  readonly leaks: readonly string[];
  /** Lines on stderr that are no JSON, uncaught exceptions and internal errors. */
  readonly crashes: readonly string[];
  readonly exitCode: number | null;
  /** Megabytes, a sample every second. */
  readonly memory: readonly number[];
  readonly hasOwnDisk: boolean;
}

const DEADLINE_MS = 12_000;

/** A small disk of its own, where this machine lets us; null elsewhere. */
function mountDisk(): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'keypool-disk-'));
  const made = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', folder]);
  if (made.status === 0) return folder;
  rmSync(folder, { recursive: true });
  return null;
}

function unmountDisk(folder: string): void {
  spawnSync('umount', [folder]);
  rmSync(folder, { recursive: true, force: true });
}

function crashesIn(stderr: string): string[] {
  return stderr
    .split('\n')
    .filter((line) => line !== '')
    .filter(
      (line) => !line.startsWith('{') || /"msg":"(?:uncaught|unhandled|internal error)/.test(line),
    );
}

export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const random = seededRandom(options.seed);
  const disk = mountDisk();
  const simulator = await startSimulator({ seed: options.seed });
  const behaviour = (): KeyBehaviour => ({
    provider: 'deepseek',
    ttftMs: 10,
    jitter: 0.5,
    answer,
    faults: randomScript(random, DEEPSEEK_CHAOS, 0.15, 4_000),
  });
  const addKey = (secret: string): void => simulator.addKey(secret, behaviour());
  const keys = ['DEEPSEEK_API_KEY', 'DEEPSEEK_API_KEY_2', 'DEEPSEEK_API_KEY_3'].map((name) => ({
    name,
    secret: canarySecret('sk-fake'),
  }));
  for (const { secret } of keys) addKey(secret);
  const home = await createHome({ keys, simulator, ...(disk === null ? {} : { under: disk }) });
  const server = await SoakServer.start(home, DEADLINE_MS);
  const tally = new SoakTally();
  const troubles = new Troubles({ home, server, random, addKey, hasOwnDisk: disk !== null });
  const endsAt = performance.now() + options.durationMs;
  const isOver = (): boolean => performance.now() > endsAt;
  const memory: number[] = [];
  const sampler = setInterval(() => memory.push(server.memory()), 1_000);
  try {
    const tokens = (): string[] => [OWNER, ...troubles.tokens.values()];
    const client = { server, tally, random, deadlineMs: DEADLINE_MS, tokens };
    await Promise.all([
      troubles.go(isOver, options.pauseMs),
      ...Array.from({ length: options.clients }, () => comeAndGo(client, isOver)),
    ]);
    clearInterval(sampler);
    server.program.kill('SIGTERM');
    const { code } = await server.program.exit;
    const secrets = [...keys.map(({ secret }) => secret), ...troubles.secrets, OWNER];
    const { leaks } = findLeaks(secrets, [
      { name: 'stderr', content: server.program.stderr },
      { name: 'stdout', content: server.program.stdout },
      ...folderSinks('home', home.folder).filter(({ name }) => name !== 'home/.env'),
      ...folderSinks('tmp', home.tmp),
    ]);
    return {
      tally,
      troubles: troubles.counts,
      leaks: leaks.map(({ sink, form, at }) => `${sink}: ${form} at ${at}`),
      crashes: crashesIn(server.program.stderr),
      exitCode: code,
      memory,
      hasOwnDisk: disk !== null,
    };
  } finally {
    clearInterval(sampler);
    server.program.kill('SIGCONT');
    server.program.kill('SIGKILL');
    await simulator.close();
    home.remove();
    if (disk !== null) unmountDisk(disk);
  }
}
