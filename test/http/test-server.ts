/** The real HTTP server over the real pool and clients; only the upstreams are simulated. */

import { randomBytes } from 'node:crypto';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { ConfigError, KeyStoreError } from '../../src/base/errors.ts';
import { keyId, maskValue } from '../../src/base/keys/key-id.ts';
import { createLogger } from '../../src/base/logger.ts';
import { Redactor } from '../../src/base/redact.ts';
import type { Admin, NewKey } from '../../src/http/api/admin.ts';
import { createMetrics } from '../../src/http/metrics.ts';
import { type HttpOptions, serveHttp } from '../../src/http/serve-http.ts';
import { KeyPool } from '../../src/pool/key-pool.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { createDeepSeekClient } from '../../src/upstream/deepseek/deepseek.ts';
import { createPerplexityClient } from '../../src/upstream/perplexity/perplexity.ts';
import { createFetch } from '../../src/upstream/wire/http.ts';

export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly token: string;
  readonly simulator: Simulator;
  /** Every log line. */
  readonly log: string[];
  readonly keys: Map<string, NewKey>;
  /** The keys in the pool. */
  readonly secrets: string[];
  /** As a signal of the operating system would. */
  stop(): void;
  readonly exit: Promise<number>;
}

/** Keys in memory, behind the same interface as the composition root's. */
function memoryAdmin(keys: Map<string, NewKey>, pool: KeyPool): Admin {
  const known = (name: string): NewKey => {
    const key = keys.get(name);
    if (key === undefined) throw new KeyStoreError('unknown_name', 'there is no key of that name');
    return key;
  };
  let current: string | null = null;
  return {
    snapshot: () => Promise.resolve(pool.snapshot()),
    listKeys: () =>
      Promise.resolve(
        [...keys.values()].map(({ name, value, account }) => ({
          name,
          masked: maskValue(value),
          key_id: keyId(value),
          account: account ?? null,
          created: null,
        })),
      ),
    putKey: (key) => {
      const result = keys.has(key.name) ? 'replaced' : 'added';
      keys.set(key.name, key);
      return Promise.resolve(result);
    },
    importKeys: () => Promise.resolve({ added: [], unchanged: [], skipped: [] }),
    removeKey: (name) => {
      keys.delete(known(name).name);
      return Promise.resolve();
    },
    verifyKey: (name) => {
      known(name);
      return Promise.resolve({ verdict: 'ok', detail: 'balance 10.00 USD' });
    },
    money: () => Promise.reject(new ConfigError('no ledger here', { hint: 'none' })),
    environments: () => Promise.resolve({ current, available: [null, 'staging'], canChoose: true }),
    chooseEnvironment: (name) => {
      current = name;
      return Promise.resolve();
    },
  };
}

export async function startTestServer(options: Partial<HttpOptions> = {}): Promise<TestServer> {
  const simulator = await startSimulator();
  const [deepseekKey, perplexityKey] = ['sk-test', 'pplx-test'].map(
    (prefix) => `${prefix}-${randomBytes(12).toString('hex')}`,
  );
  if (deepseekKey === undefined || perplexityKey === undefined) throw new Error('no keys');
  simulator.addKey(deepseekKey, { provider: 'deepseek', ttftMs: 5, tokensPerSecond: 5000 });
  simulator.addKey(perplexityKey, { provider: 'perplexity', ttftMs: 5 });
  const redactor = new Redactor();
  for (const secret of [deepseekKey, perplexityKey]) redactor.add(secret);
  const log: string[] = [];
  const logger = createLogger({ level: 'debug', redactor, write: (line) => log.push(line) });
  const metrics = createMetrics();
  const pool = new KeyPool({
    keys: [
      { provider: 'deepseek', name: 'DEEPSEEK_API_KEY', account: null, secret: deepseekKey },
      { provider: 'perplexity', name: 'PERPLEXITY_API_KEY', account: null, secret: perplexityKey },
    ],
    maxConcurrent: 64,
    logger,
    observer: metrics.observer,
  });
  const shared = {
    callTimeoutMs: 30_000,
    idleTimeoutMs: 10_000,
    fetch: createFetch({
      proxy: { httpsProxy: null, allProxy: null, httpProxy: null, noProxy: null },
    }),
    logger,
  };
  const clients = {
    deepseek: createDeepSeekClient({
      ...shared,
      lender: pool.lender('deepseek'),
      baseUrl: simulator.deepseekUrl,
      defaultModel: 'deepseek-flash',
    }),
    perplexity: createPerplexityClient({
      ...shared,
      lender: pool.lender('perplexity'),
      baseUrl: simulator.perplexityUrl,
    }),
  };
  const keys = new Map<string, NewKey>();
  const stopper = new AbortController();
  const token = randomBytes(24).toString('base64url');
  let listening: (url: string) => void = () => {};
  const address = new Promise<string>((resolve) => {
    listening = resolve;
  });
  const exit = serveHttp({
    address: '127.0.0.1',
    port: 0,
    token,
    allowedHosts: [],
    host: {
      clients: () => Promise.resolve(clients),
      status: () => Promise.resolve(pool.snapshot()),
      redact: (said) => redactor.redact(said),
      onToolCall: (event) => metrics.toolCallEnded(event),
      models: ['deepseek-flash'],
    },
    admin: memoryAdmin(keys, pool),
    metrics,
    pageFolder: new URL('../../dist/dashboard/', import.meta.url),
    logger,
    signal: stopper.signal,
    onListening: (url) => listening(url),
    ...options,
  });
  const url = await Promise.race([address, exit.then(() => 'ended')]);
  onTestFinished(async () => {
    stopper.abort();
    await exit;
    pool.close();
    await simulator.close();
  });
  return {
    url,
    port: Number(new URL(url).port),
    token,
    simulator,
    log,
    keys,
    secrets: [deepseekKey, perplexityKey],
    stop: () => stopper.abort(),
    exit,
  };
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A request whose headers are exactly these: fetch would not send another Host or Origin. */
export async function ask(
  server: Pick<TestServer, 'port'>,
  path: string,
  options: {
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string | string[]>>;
    readonly body?: string;
  } = {},
): Promise<RawAnswer> {
  const { method = 'GET', headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port: server.port,
        path,
        method,
        agent: false,
        headers: { ...length, ...headers },
      },
      (response) => {
        text(response).then(
          (said) =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: said }),
          reject,
        );
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

/** Bytes as they are, for requests that no client would make. */
export async function sendBytes(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  const said = await text(socket.setTimeout(5_000, () => socket.destroy())).catch(() => '');
  return said;
}

export function bearer(server: Pick<TestServer, 'token'>): { readonly authorization: string } {
  return { authorization: `Bearer ${server.token}` };
}
