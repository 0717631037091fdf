/** A real redis-server (Debian's package) for as long as a test needs it. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { until } from './until.ts';

export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;
export const NO_REDIS = 'redis-server is not installed (Debian: apt-get install redis-server)';

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

export class RedisServerProcess {
  readonly port: number;
  readonly #args: readonly string[];
  readonly #folder = mkdtempSync(join(tmpdir(), 'keypool-redis-'));
  #child: ChildProcess | null = null;
  #ended: Promise<void> = Promise.resolve();

  private constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.#args = args;
  }

  /** @param args further settings, such as `--requirepass` */
  static async start(args: readonly string[] = [], port?: number): Promise<RedisServerProcess> {
    const server = new RedisServerProcess(port ?? (await freePort()), args);
    await server.up();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it, again where it was killed. */
  async up(): Promise<void> {
    const fixed = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#folder];
    const quiet = ['--save', '', '--appendonly', 'no'];
    this.#child = spawn('redis-server', [...fixed, ...quiet, ...this.#args], { stdio: 'pipe' });
    let said = '';
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    this.#ended = new Promise((resolve) => this.#child?.once('exit', () => resolve()));
    await until('redis-server is up', () => /[Rr]eady to accept connections/.test(said));
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** For the test itself. */
  client(options: { readonly username?: string; readonly password?: string } = {}): Redis {
    return new Redis({ port: this.port, host: '127.0.0.1', ...options });
  }
}
