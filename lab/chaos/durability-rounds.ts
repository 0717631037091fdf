/** Kills writers at random moments and looks at what they leave. Used by a test and a benchmark. */

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FernetDocument } from '../../src/secrets/fernet/fernet-format.ts';
import { KeyStore } from '../../src/secrets/key-store.ts';
import { classifyMasterKey, generateMasterKey } from '../../src/secrets/master-key.ts';
import { type BundledProgram, bundleProgram } from '../program/bundled.ts';

export const MODES = ['add', 'remove', 'rotate', 'migrate'] as const;
export type Mode = (typeof MODES)[number];

/** A kill comes after this many changes at most, at a random point of the next one. */
const MOST_CHANGES = 3;
const KEPT = ['KEPT_ONE', 'KEPT_TWO', 'KEPT_THREE'] as const;

export interface Round {
  /** Changes that the writer had reported before it died. */
  readonly changes: number;
  /** What was wrong afterwards, in words; empty is what we want. */
  readonly problems: readonly string[];
}

/** 200 starts of a compiler would take minutes. */
export function buildWorker(): Promise<BundledProgram> {
  return bundleProgram(new URL('./durability-worker.ts', import.meta.url));
}

export class DurabilityScene {
  readonly folder = mkdtempSync(join(tmpdir(), 'keypool-durability-'));
  readonly path = join(this.folder, 'store.json');
  readonly #settings = join(this.folder, '.env');
  readonly #present = new Set<string>(KEPT);
  #paceMs = 10;

  /** A store with three keys; for `migrate` a legacy one. */
  static async create(mode: Mode): Promise<DurabilityScene> {
    const scene = new DurabilityScene();
    const text = generateMasterKey();
    writeFileSync(scene.#settings, `MASTER_ENCRYPTION_KEY=${text}\n`, { mode: 0o600 });
    if (mode === 'migrate') {
      let flat = await FernetDocument.create(classifyMasterKey(text, 'the test'));
      for (const name of KEPT) {
        flat = flat.withSecret(name, { value: scene.value(name), account: null, createdAt: null });
      }
      writeFileSync(scene.path, flat.serialize());
    } else {
      const store = await KeyStore.create(scene.location());
      await store.putAll(KEPT.map((name) => ({ name, value: scene.value(name) })));
    }
    return scene;
  }

  value(name: string): string {
    return `test-value-${name}-0123456789`;
  }

  location() {
    const text = readFileSync(this.#settings, 'utf8').trim().slice('MASTER_ENCRYPTION_KEY='.length);
    const value = { variable: 'MASTER_ENCRYPTION_KEY', file: this.#settings, text };
    return { path: this.path, masterKey: { value, file: null, command: null } };
  }

  open(): Promise<KeyStore> {
    return KeyStore.open(this.location());
  }

  /** Starts a writer, kills it at a random moment, and looks at what is left. */
  async killRound(worker: BundledProgram, mode: Mode, round: number): Promise<Round> {
    const args = [worker.file, mode, this.folder, `R${round}`];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    const closed = new Promise<void>((resolve) => child.on('close', () => resolve()));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      errors += chunk;
    });
    const wanted = 1 + Math.floor(Math.random() * MOST_CHANGES);
    await new Promise<void>((resolve) => {
      let lastAt = 0;
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
        // What one change takes here and now: a busy machine is slower, and the kill follows it.
        if (lastAt > 0) this.#paceMs += (performance.now() - lastAt - this.#paceMs) / 4;
        lastAt = performance.now();
        if (output.split('\n').length > wanted) resolve();
      });
      void closed.then(resolve);
    });
    await sleep(Math.random() * this.#paceMs * 1.2);
    child.kill('SIGKILL');
    await closed;
    const lines = output.split('\n').slice(1, -1);
    const unsure = this.#replay(lines);
    const crash = errors === '' ? [] : [`the writer failed by itself: ${errors.slice(0, 400)}`];
    return { changes: lines.length, problems: [...crash, ...(await this.#inspect(unsure))] };
  }

  /** @returns names whose removal had begun and was not reported as done */
  #replay(lines: readonly string[]): Set<string> {
    const unsure = new Set<string>();
    for (const line of lines) {
      const [sign, name = ''] = line.split(' ');
      if (sign === '+') this.#present.add(name);
      if (sign === '?') unsure.add(name);
      if (sign === '-') {
        this.#present.delete(name);
        unsure.delete(name);
      }
    }
    for (const name of unsure) this.#present.delete(name);
    return unsure;
  }

  async #inspect(unsure: ReadonlySet<string>): Promise<string[]> {
    let store: KeyStore;
    try {
      store = await this.open();
    } catch (error) {
      return [`the store does not open: ${error instanceof Error ? error.message : 'unknown'}`];
    }
    const lost = [...this.#present].filter((name) => !store.has(name));
    const wrong = KEPT.filter((name) => store.has(name) && store.get(name) !== this.value(name));
    for (const { name } of store.list()) if (!unsure.has(name)) this.#present.add(name);
    return [
      ...lost.map((name) => `a confirmed key is lost: ${name}`),
      ...wrong.map((name) => `a key has another value: ${name}`),
    ];
  }

  /** Leftovers of killed writers after one more write: there should be none. */
  async orphans(): Promise<string[]> {
    const store = await this.open();
    await store.put('LAST_ONE', this.value('LAST_ONE'));
    return readdirSync(this.folder).filter(
      (name) => name.includes('.tmp-') && name.includes('store'),
    );
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Starts a program in a pid namespace of its own, as a container does: there its pid is 1. */
export const IN_CONTAINER = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'] as const;

export function hasContainers(): boolean {
  const [program, ...args] = [...IN_CONTAINER, 'true'];
  return spawnSync(program, args).status === 0;
}

/**
 * @param launcher what the program is started by; nothing for a plain process
 * @returns how many of the keys that `writers` processes added at the same time are there
 */
export async function concurrentAdds(
  worker: BundledProgram,
  writers: number,
  each: number,
  launcher: readonly string[] = [],
): Promise<number> {
  const scene = await DurabilityScene.create('add');
  try {
    const runs = Array.from({ length: writers }, (_, writer) => {
      const job = [worker.file, 'add', scene.folder, `W${writer}`, String(each)];
      const [program = '', ...args] = [...launcher, process.execPath, ...job];
      const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
      return new Promise<void>((resolve) => child.on('close', () => resolve()));
    });
    await Promise.all(runs);
    const store = await scene.open();
    return store.list().filter(({ name }) => name.startsWith('W')).length;
  } finally {
    scene.remove();
  }
}
