/** A client that speaks lines to `serveStdio` in this process. */

import { PassThrough } from 'node:stream';
import { type Logger, silentLogger } from '../../src/base/logger.ts';
import { unknownClient } from '../../src/mcp/client-facts.ts';
import { KeptResults } from '../../src/mcp/kept-results.ts';
import type { ServerHost, ServerOptions } from '../../src/mcp/server-host.ts';
import { serveStdio } from '../../src/mcp/stdio/stdio.ts';
import type { CallContext } from '../../src/upstream/call.ts';
import type { GenerateRequest, GenerateResult } from '../../src/upstream/deepseek/chat.ts';
import type { SearchRequest, SearchResult } from '../../src/upstream/perplexity/search.ts';

export interface Reply {
  readonly jsonrpc?: string;
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string };
}

export interface FakeUpstreams {
  generate?: (request: GenerateRequest, context: CallContext) => Promise<GenerateResult>;
  search?: (request: SearchRequest, context: CallContext) => Promise<SearchResult>;
}

export const GENERATED: GenerateResult = {
  text: 'Adds two numbers.\n\n```python\ndef add(a, b):\n    return a + b\n```\n',
  model: 'deepseek-flash',
  finishReason: 'stop',
  notice: null,
  usage: {
    promptTokens: 100,
    cachedTokens: 64,
    completionTokens: 20,
    reasoningTokens: null,
    totalTokens: 120,
  },
  keyName: 'DEEPSEEK_API_KEY',
  attempts: 1,
  requestId: 'trace-1',
  costUsd: 0.000123,
  moneyNotice: null,
};

export const FOUND: SearchResult = {
  sources: [
    {
      number: 1,
      title: 'Release notes',
      url: 'https://example.com/notes',
      snippet: 'Version 3 is out.',
      date: '2026-10-01',
      lastUpdated: null,
    },
  ],
  answer: null,
  answerTruncated: false,
  keyName: 'PERPLEXITY_API_KEY',
  attempts: 1,
  requestId: null,
  costUsd: 0.005,
  moneyNotice: null,
};

export function fakeHost(
  upstreams: FakeUpstreams = {},
  rest: Partial<ServerHost> = {},
): ServerHost {
  return {
    clients: () =>
      Promise.resolve({
        deepseek: { generate: upstreams.generate ?? (() => Promise.resolve(GENERATED)) },
        perplexity: { search: upstreams.search ?? (() => Promise.resolve(FOUND)) },
      }),
    status: () => Promise.resolve({ providers: [] }),
    redact: (text) => text,
    models: ['deepseek-flash', 'deepseek-v4-pro'],
    ...rest,
  };
}

/** What a server of either era is made from. */
export function serverOptions(host: ServerHost, logger: Logger = silentLogger): ServerOptions {
  return { host, logger, session: 'test', results: new KeptResults(), client: unknownClient() };
}

/** Rejects as fetch does when the signal fires; never settles otherwise. */
export function untilAborted<T>(signal: AbortSignal): Promise<T> {
  return new Promise((_resolve, reject) => {
    const abort = () => reject(new DOMException('This operation was aborted', 'AbortError'));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
  });
}

export class Session {
  readonly input = new PassThrough();
  readonly output = new PassThrough();
  readonly replies: Reply[] = [];
  readonly exit: Promise<number>;
  #wake: Array<() => void> = [];

  constructor(host: ServerHost, logger: Logger = silentLogger, signal?: AbortSignal) {
    let rest = '';
    this.output.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString('utf8')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.replies.push(JSON.parse(line));
      for (const wake of this.#wake.splice(0)) wake();
    });
    this.exit = serveStdio({
      input: this.input,
      output: this.output,
      host,
      logger,
      ...(signal !== undefined && { signal }),
    });
  }

  raw(bytes: string | Buffer): void {
    this.input.write(bytes);
  }

  send(message: object): void {
    this.raw(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }

  /** The first message that fits, now or later. */
  async until(fits: (reply: Reply) => boolean): Promise<Reply> {
    for (;;) {
      const found = this.replies.find(fits);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  reply(id: string | number | null): Promise<Reply> {
    return this.until((reply) => reply.id === id && reply.method === undefined);
  }

  async initialize(protocolVersion = '2025-11-25'): Promise<Reply> {
    this.send({
      id: 'init',
      method: 'initialize',
      params: { protocolVersion, capabilities: {}, clientInfo: { name: 'test', version: '0' } },
    });
    const reply = await this.reply('init');
    this.send({ method: 'notifications/initialized' });
    return reply;
  }

  call(id: string | number, name: string, args: object, meta?: object): void {
    const params = { name, arguments: args, ...(meta !== undefined && { _meta: meta }) };
    this.send({ id, method: 'tools/call', params });
  }

  async close(): Promise<number> {
    this.input.end();
    return this.exit;
  }
}

/** Something that happens later in a test. */
export function later(): { readonly happened: Promise<void>; readonly happen: () => void } {
  let happen = () => {};
  const happened = new Promise<void>((resolve) => {
    happen = resolve;
  });
  return { happened, happen };
}
