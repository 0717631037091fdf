/** A real redis-server (Debian's package) for as long as a test needs it. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { until } from '../until.ts';

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
  #said = '';
  #hasEnded = true;
  #ended: Promise<void> = Promise.resolve();

  private constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.#args = args;
  }

  /** @param args further settings, such as `--requirepass` */
  static async start(args: readonly string[] = [], port?: number): Promise<RedisServerProcess> {
    for (let attempt = 1; ; attempt++) {
      const server = new RedisServerProcess(port ?? (await freePort()), args);
      try {
        await server.up();
        return server;
      } catch (error) {
        await server.remove();
        // Somebody else may have taken the free port in between.
        if (port !== undefined || attempt === 5) throw error;
      }
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it, again where it was killed. */
  async up(): Promise<void> {
    const fixed = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#folder];
    const quiet = ['--save', '', '--appendonly', 'no'];
    this.#run([...fixed, ...quiet, ...this.#args]);
    await until('redis-server is up or gone', () => this.#isReady || this.#hasEnded);
    if (!this.#isReady) throw new Error(`redis-server ended: ${this.#said.slice(-400)}`);
  }

  /** As a sentinel that watches another server, and calls it `mymaster`. */
  static async sentinelOf(watched: RedisServerProcess): Promise<RedisServerProcess> {
    const sentinel = new RedisServerProcess(await freePort(), []);
    const file = join(sentinel.#folder, 'sentinel.conf');
    const lines = [
      `port ${sentinel.port}`,
      'bind 127.0.0.1',
      `dir ${sentinel.#folder}`,
      `sentinel monitor mymaster 127.0.0.1 ${watched.port} 1`,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    sentinel.#run([file, '--sentinel']);
    await until('the sentinel is up', () => /\+monitor master mymaster/.test(sentinel.#said));
    return sentinel;
  }

  get #isReady(): boolean {
    return /[Rr]eady to accept connections/.test(this.#said);
  }

  #run(args: readonly string[]): void {
    this.#said = '';
    this.#child = spawn('redis-server', args, { stdio: 'pipe' });
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#said += chunk.toString();
    });
    const child = this.#child;
    this.#hasEnded = false;
    this.#ended = new Promise((resolve) => {
      child.once('exit', () => {
        this.#hasEnded = true;
        resolve();
      });
    });
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

const SLOTS = 16_384;

/** Masters of one cluster, each with its part of the slots. */
export async function startRedisCluster(masters: number): Promise<RedisServerProcess[]> {
  const args = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'];
  const nodes = await Promise.all(
    Array.from({ length: masters }, async () => RedisServerProcess.start(args, await busPort())),
  );
  const clients = nodes.map((node) => node.client());
  const border = (at: number): number => Math.floor((at * SLOTS) / masters);
  for (const [at, client] of clients.entries()) {
    const slots = [border(at), border(at + 1) - 1].map(String);
    await client.call('CLUSTER', 'ADDSLOTSRANGE', ...slots);
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', String(at + 1));
  }
  const [first] = nodes;
  const meet = async (): Promise<void> => {
    for (const client of clients) {
      await client.call('CLUSTER', 'MEET', '127.0.0.1', String(first?.port ?? 0));
    }
  };
  const isWhole = async (): Promise<boolean> => {
    const infos = await Promise.all(clients.map((client) => client.call('CLUSTER', 'INFO')));
    return infos.every(
      (info) =>
        String(info).includes('cluster_state:ok') &&
        String(info).includes(`cluster_known_nodes:${masters}`),
    );
  };
  // On a busy machine a meeting may come to nothing, and nobody tries it again.
  for (let attempt = 1; ; attempt++) {
    await meet();
    const failure = await until('the cluster is whole', isWhole, 5_000).catch((error) => error);
    if (failure === undefined) break;
    if (attempt === 5) throw failure;
  }
  for (const client of clients) client.disconnect();
  return nodes;
}

/** A cluster's nodes speak to each other at a port that is higher by ten thousand. */
async function busPort(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (port < 55_000) return port;
  }
}
