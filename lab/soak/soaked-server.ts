/** The HTTP server under test: its memory, the time it was stopped, and one call at it. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Program } from '../program/program.ts';
import type { Home } from '../program/test-home.ts';
import { until } from '../until.ts';

export const OWNER = 'token-of-the-owner-of-the-soak';

const CLOCK = fileURLToPath(new URL('./clock.mjs', import.meta.url));

export class SoakServer {
  readonly program: Program;
  url = '';
  /** Milliseconds that it was stopped, in all. */
  #stoppedMs = 0;
  #stoppedAt: number | null = null;

  private constructor(home: Home, deadlineMs: number) {
    this.program = new Program({
      args: ['serve', '--http', '--port', '0'],
      env: {
        ...home.env,
        KEYPOOL_HTTP_TOKEN: OWNER,
        KEYPOOL_CALL_TIMEOUT_MS: String(deadlineMs),
        KEYPOOL_IDLE_TIMEOUT_MS: '1000',
        NODE_OPTIONS: `--import ${CLOCK}`,
      },
    });
  }

  static async start(home: Home, deadlineMs: number): Promise<SoakServer> {
    const server = new SoakServer(home, deadlineMs);
    const address = (): string => /"url":"([^"]+)"/.exec(server.program.stderr)?.[1] ?? '';
    await until('the server listens', () => address() !== '', 30_000);
    server.url = address();
    return server;
  }

  get stoppedMs(): number {
    const open = this.#stoppedAt === null ? 0 : performance.now() - this.#stoppedAt;
    return this.#stoppedMs + open;
  }

  async sleep(ms: number): Promise<void> {
    this.program.kill('SIGSTOP');
    this.#stoppedAt = performance.now();
    await new Promise((resolve) => setTimeout(resolve, ms));
    this.program.kill('SIGCONT');
    this.#stoppedMs += performance.now() - this.#stoppedAt;
    this.#stoppedAt = null;
  }

  /** Megabytes of memory that are really there. */
  memory(): number {
    const status = readFileSync(`/proc/${this.program.pid}/status`, 'utf8');
    return Number(/VmRSS:\s*(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  }

  ask(path: string, init: RequestInit = {}, token = OWNER): Promise<Response> {
    return fetch(this.url + path, {
      ...init,
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        ...init.headers,
      },
    });
  }

  /** One message to `/mcp`, and the answers to it. */
  async post(
    body: unknown,
    options: {
      readonly token?: string;
      readonly session?: string;
      readonly signal?: AbortSignal;
    } = {},
  ): Promise<{ readonly text: string; readonly session: string; readonly status: number }> {
    const { token, session, signal } = options;
    const headers = {
      accept: 'application/json, text/event-stream',
      ...(session === undefined ? {} : { 'mcp-session-id': session }),
    };
    const init = {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
      ...(signal === undefined ? {} : { signal }),
    };
    const response = await this.ask('/mcp', init, token);
    const { status } = response;
    return {
      text: await response.text(),
      session: response.headers.get('mcp-session-id') ?? '',
      status,
    };
  }
}
