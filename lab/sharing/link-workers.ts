/** Several processes that share, killed at random: does everybody left find the others again? */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BundledProgram, bundleProgram } from '../program/bundled.ts';
import { until } from '../until.ts';

interface Line {
  readonly role: 'coordinator' | 'member' | null;
  readonly processes: number;
  readonly held: number;
}

export class LinkWorker {
  readonly #child: ChildProcess;
  readonly #exit: Promise<void>;
  #last: Line = { role: null, processes: 0, held: 0 };

  constructor(file: string, folder: string, secret: string) {
    this.#child = spawn(process.execPath, [file, folder, secret], { stdio: ['ignore', 'pipe', 2] });
    let rest = '';
    this.#child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#last = JSON.parse(line);
    });
    this.#exit = new Promise((resolve) => this.#child.once('close', () => resolve()));
  }

  get last(): Line {
    return this.#last;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async end(name: NodeJS.Signals): Promise<void> {
    this.#child.kill(name);
    await this.#exit;
  }
}

export class LinkWorkers {
  readonly folder = mkdtempSync(join(tmpdir(), 'keypool-links-'));
  readonly #secret = randomBytes(32).toString('base64url');
  readonly #program: BundledProgram;
  workers: LinkWorker[] = [];

  static async create(count: number): Promise<LinkWorkers> {
    const source = new URL('link-worker.ts', import.meta.url);
    const all = new LinkWorkers(await bundleProgram(source));
    for (let i = 0; i < count; i++) all.add();
    return all;
  }

  constructor(program: BundledProgram) {
    this.#program = program;
  }

  add(): void {
    this.workers.push(new LinkWorker(this.#program.file, this.folder, this.#secret));
  }

  get coordinator(): LinkWorker | null {
    return this.workers.find(({ last }) => last.role === 'coordinator') ?? null;
  }

  /** Everybody knows of everybody, one coordinates, and no slot is held by nobody. */
  get isSettled(): boolean {
    const lines = this.workers.map(({ last }) => last);
    return (
      lines.filter(({ role }) => role === 'coordinator').length === 1 &&
      lines.every(({ role, processes, held }) => {
        return role !== null && processes === lines.length && held <= Math.max(4, lines.length);
      })
    );
  }

  /** @returns how long it took, in milliseconds */
  async settled(what: string, patienceMs = 15_000): Promise<number> {
    const startedAt = performance.now();
    await until(what, () => this.isSettled, patienceMs).catch((cause: unknown) => {
      throw new Error(JSON.stringify(this.workers.map(({ last }) => last)), { cause });
    });
    return performance.now() - startedAt;
  }

  /** Kills one, without a word, and starts another. */
  async replace(victim: LinkWorker | undefined): Promise<void> {
    if (victim === undefined) return;
    this.workers = this.workers.filter((worker) => worker !== victim);
    await victim.end('SIGKILL');
    this.add();
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.end('SIGKILL')));
    rmSync(this.folder, { recursive: true, force: true });
    this.#program.remove();
  }
}
