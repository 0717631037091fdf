/** What goes wrong around a server in a long day, each of it a second's work. */

import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { canarySecret } from '../canary.ts';
import { run } from '../program/program.ts';
import type { Home } from '../program/test-home.ts';
import type { SoakServer } from './soaked-server.ts';

export interface TroubleOptions {
  readonly home: Home;
  readonly server: SoakServer;
  readonly random: () => number;
  /** Makes the upstream know a key. */
  readonly addKey: (secret: string) => void;
  /** True where the home has a small disk of its own. */
  readonly hasOwnDisk: boolean;
}

type Trouble = () => Promise<void>;

export class Troubles {
  readonly counts = new Map<string, number>();
  /** Every secret that came along. */
  readonly secrets: string[] = [];
  readonly tokens = new Map<string, string>();
  readonly #options: TroubleOptions;
  readonly #keys: string[] = [];
  readonly #settings: string;
  readonly #good: string;
  #number = 100;

  constructor(options: TroubleOptions) {
    this.#options = options;
    this.#settings = join(options.home.folder, '.env');
    this.#good = readFileSync(this.#settings, 'utf8');
  }

  /** One trouble after the other, until `isOver`; everything is in order at the end. */
  async go(isOver: () => boolean, pauseMs: number): Promise<void> {
    const all = Object.entries(this.#all());
    while (!isOver()) {
      const [name, trouble] = all[Math.floor(this.#options.random() * all.length)] ?? [];
      if (name === undefined || trouble === undefined) continue;
      this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
      await trouble();
      await sleep(pauseMs);
    }
    writeFileSync(this.#settings, this.#good, { mode: 0o600 });
  }

  #all(): Record<string, Trouble> {
    const { server, hasOwnDisk } = this.#options;
    return {
      'key added over HTTP': () => this.#addKey(),
      'key removed over HTTP': () => this.#removeKey(),
      'settings broken and mended': () => this.#breakSettings(),
      'key in the settings': () => this.#keyInSettings(),
      'process stopped and continued': () => server.sleep(300 + this.#options.random() * 1_500),
      'clock stepped': () => Promise.resolve(server.program.kill('SIGUSR2')),
      'client added': () => this.#addClient(),
      'client removed': () => this.#removeClient(),
      'garbage sent': () => this.#sendGarbage(),
      'client left in the middle of a body': () => this.#leaveInBody(),
      'metrics and status read': () => this.#read(),
      ...(hasOwnDisk ? { 'disk full and free again': () => this.#fillDisk() } : {}),
    };
  }

  #fresh(): string {
    const secret = canarySecret('sk-fake');
    this.secrets.push(secret);
    this.#options.addKey(secret);
    return secret;
  }

  async #addKey(): Promise<void> {
    const name = `DEEPSEEK_API_KEY_${this.#number++}`;
    const body = JSON.stringify({ name, value: this.#fresh() });
    const { status } = await this.#options.server.ask('/api/keys', { method: 'POST', body });
    if (status === 201) this.#keys.push(name);
  }

  async #removeKey(): Promise<void> {
    const name = this.#keys.shift();
    if (name === undefined) return;
    const { status } = await this.#options.server.ask(`/api/keys/${name}`, { method: 'DELETE' });
    if (status !== 200) this.#keys.push(name);
  }

  async #breakSettings(): Promise<void> {
    writeFileSync(this.#settings, `${this.#good}KEYPOOL_CALL_TIMEOUT_MS=soon\n`, { mode: 0o600 });
    await sleep(400);
    writeFileSync(this.#settings, this.#good, { mode: 0o600 });
  }

  async #keyInSettings(): Promise<void> {
    appendFileSync(this.#settings, `DEEPSEEK_API_KEY_${this.#number++}=${this.#fresh()}\n`);
    await sleep(400);
    writeFileSync(this.#settings, this.#good, { mode: 0o600 });
  }

  async #addClient(): Promise<void> {
    const name = `client-${this.#number++}`;
    const { code, stdout } = await run(['clients', 'add', name], this.#options.home.env);
    if (code !== 0) return;
    const token = stdout.trim();
    this.secrets.push(token.slice(5));
    this.tokens.set(name, token);
  }

  async #removeClient(): Promise<void> {
    const [name] = this.tokens.keys();
    if (name === undefined) return;
    const { code } = await run(['clients', 'remove', name], this.#options.home.env);
    if (code === 0) this.tokens.delete(name);
  }

  async #sendGarbage(): Promise<void> {
    const { server } = this.#options;
    for (const body of ['', '{', '[]', '{"jsonrpc":"2.0"}', '\u0000'.repeat(1_000), '[[[[']) {
      await server.ask('/mcp', { method: 'POST', body }).then((response) => response.text());
    }
    await server.ask('/api/keys', { method: 'POST', body: '{"name":1}' });
    await server.ask('/metrics', {}, canarySecret('wrong')).then((response) => response.text());
  }

  async #leaveInBody(): Promise<void> {
    const { hostname, port, host } = new URL(this.#options.server.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    const head = `POST /mcp HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer x\r\nContent-Length: 1000\r\n\r\n{"jso`;
    socket.write(head);
    await sleep(50);
    socket.destroy();
  }

  async #read(): Promise<void> {
    for (const path of ['/metrics', '/api/status', '/api/keys', '/api/history', '/healthz']) {
      await this.#options.server.ask(path).then((response) => response.text());
    }
  }

  async #fillDisk(): Promise<void> {
    const filler = join(this.#options.home.folder, 'filler');
    const part = Buffer.alloc(64 * 1024, 1);
    try {
      for (let at = 0; at < 4_096; at++) appendFileSync(filler, part);
    } catch {
      // It is full now.
    }
    await this.#addKey();
    await sleep(300);
    rmSync(filler, { force: true });
  }
}
