/**
 * Everything the demo needs and takes away again: the simulated upstreams, a temporary home with
 * an encrypted store filled by the program's own commands, and the real server as a child that a
 * real MCP client talks to.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { CommandError } from '../../base/errors.ts';
import { isAlive } from '../../base/system/processes.ts';
import { NAME, VERSION } from '../../base/version.ts';
import type { PoolSnapshot } from '../../pool/snapshot.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';

export interface DemoKey {
  readonly name: string;
  readonly account: string;
  readonly secret: string;
}

function fakeKey(prefix: string): string {
  return `${prefix}-fake-${randomBytes(12).toString('hex')}`;
}

export const DEEPSEEK_NAMES = ['', '_2', '_3', '_4'].map((suffix) => `DEEPSEEK_API_KEY${suffix}`);

export class DemoStage {
  readonly home: string;
  readonly simulator: Simulator;
  readonly keys: readonly DemoKey[];
  readonly client = new Client({ name: `${NAME}-demo`, version: VERSION });
  #transport: StdioClientTransport | null = null;
  #stderr = '';
  /** The command that runs just now. */
  #running: ChildProcess | null = null;
  #isCleared = false;

  private constructor(home: string, simulator: Simulator, keys: readonly DemoKey[]) {
    this.home = home;
    this.simulator = simulator;
    this.keys = keys;
  }

  /** @param seed makes the simulated answers the same at every run */
  static async set(seed: number): Promise<DemoStage> {
    const home = await mkdtemp(join(tmpdir(), 'keypool-demo-'));
    const simulator = await startSimulator({ seed });
    const keys = [
      ...DEEPSEEK_NAMES.map((name, index) => ({
        name,
        account: `account-${index + 1}`,
        secret: fakeKey('sk'),
      })),
      { name: 'PERPLEXITY_API_KEY', account: 'search', secret: fakeKey('pplx') },
    ];
    return new DemoStage(home, simulator, keys);
  }

  /** Fills a new encrypted store with `init` and `keys add`, values through stdin. */
  async fillStore(): Promise<void> {
    await this.#command(['init']);
    for (const key of this.keys) {
      await this.#command(['keys', 'add', key.name, '--account', key.account], key.secret);
    }
  }

  /** Starts the server and shakes hands. @returns milliseconds from spawn to the handshake's end */
  async startServer(): Promise<number> {
    this.#expectStage();
    const started = performance.now();
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [...programArguments(), 'serve'],
      env: this.#environment(),
      stderr: 'pipe',
    });
    transport.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString('utf8');
    });
    this.#transport = transport;
    await this.client.connect(transport);
    return performance.now() - started;
  }

  /** The pool as the server shows it, from its status resource. */
  async snapshot(): Promise<PoolSnapshot> {
    const { contents } = await this.client.readResource({ uri: 'keypool://status' });
    const [document] = contents;
    if (document === undefined || !('text' in document)) throw new CommandError('no status');
    return JSON.parse(document.text);
  }

  secretOf(name: string): string {
    return this.keys.find((key) => key.name === name)?.secret ?? '';
  }

  /** Everything the server wrote to stderr. */
  get serverLog(): string {
    return this.#stderr;
  }

  /** @returns true when nothing is left behind: no process, no file */
  async clear(): Promise<boolean> {
    this.#isCleared = true;
    await this.#endCommand();
    const pid = this.#transport?.pid ?? null;
    await this.client.close();
    await this.simulator.close();
    await rm(this.home, { recursive: true, force: true });
    return !existsSync(this.home) && (pid === null || !isAlive(pid));
  }

  #environment(): Record<string, string> {
    return {
      KEYPOOL_HOME: this.home,
      DEEPSEEK_BASE_URL: this.simulator.deepseekUrl,
      PERPLEXITY_BASE_URL: this.simulator.perplexityUrl,
    };
  }

  /** An interrupted story must not go on behind the cleaning. */
  #expectStage(): void {
    if (this.#isCleared) throw new DOMException('The demo was interrupted', 'AbortError');
  }

  /** A command that still ran would write into the folder that is being removed. */
  async #endCommand(): Promise<void> {
    const child = this.#running;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  }

  /** Runs one of the program's own commands. */
  #command(args: readonly string[], input = ''): Promise<void> {
    this.#expectStage();
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [...programArguments(), ...args], {
        env: this.#environment(),
        stdio: ['pipe', 'ignore', 'pipe'],
      });
      this.#running = child;
      let stderr = '';
      child.stderr.on('data', (chunk: Buffer) => {
        stderr += chunk.toString('utf8');
      });
      child.once('error', reject);
      child.once('close', (code) => {
        if (code === 0) resolve();
        else {
          const cause = new Error(stderr);
          reject(new CommandError(`keypool-mcp ${args[0]} failed in the demo`, { cause }));
        }
      });
      child.stdin.on('error', () => {}); // it left before reading; its exit code says why
      child.stdin.end(input);
    });
  }
}

/** How this very program was started: the loader's flags, if any, and the entry file. */
function programArguments(): string[] {
  return [...process.execArgv, process.argv[1] ?? ''];
}
