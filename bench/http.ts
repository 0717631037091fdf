/**
 * Load over HTTP, and over stdio: calls per second, and what stands between a caller and the upstream.
 *
 *   npm run bench:http [-- --seconds N] [--clients 1,8,64] [--no-peer]
 *
 * One run, one machine, one simulated upstream with four keys: callers that ask it directly with
 * one key each, callers of keypool-mcp over stdio (one client with as many calls at once) and over
 * Streamable HTTP (both protocol eras), and callers of @portkey-ai/gateway with the same four keys,
 * fetched from the package registry for the run. All ask the upstream for the same. Every caller
 * sends its next call when the last was answered.
 * "Added" is the difference to the direct calls at the same number of clients, "share" the part of
 * their calls per second.
 */

import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { processorMs } from '../lab/program/processor.ts';
import { Program } from '../lab/program/program.ts';
import { createHome } from '../lab/program/test-home.ts';
import { type Simulator, startSimulator } from '../src/simulator/simulator.ts';
import { LineClient } from './line-client.ts';
import { gatewayHeaders, startGateway, until } from './portkey.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '8' },
    clients: { type: 'string', default: '1,8,64' },
    peer: { type: 'boolean', default: true },
  },
  allowNegative: true,
});
const seconds = Number(values.seconds);
const clientCounts = values.clients.split(',').map(Number);

const TOKEN = randomBytes(24).toString('base64url');
const PROMPT = 'Write a function that reverses a list.';

/** Nothing is counted before so many calls: the figures are those of a server at work. */
const WARM_UP = { clients: 64, calls: 2_000 };

/** Sends one call; throws unless it was answered well. */
type Call = () => Promise<void>;
/** A caller of its own: a session, a key. */
type Open = (caller: number) => Promise<Call>;

interface Measured {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly failed: number;
  /** The server's processor time for a call, in ms; NaN where there is no server of ours. */
  readonly processor: number;
}

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

async function warmUp(open: Open): Promise<void> {
  let left = WARM_UP.calls;
  const callers = Array.from({ length: WARM_UP.clients }, async (_, caller) => {
    const call = await open(caller);
    while (left-- > 0) await call();
  });
  await Promise.all(callers);
}

/** @param pid the server's, where one of ours is measured */
async function measure(open: Open, clients: number, pid: number | null): Promise<Measured> {
  const calls = await Promise.all(Array.from({ length: clients }, (_, caller) => open(caller)));
  await Promise.all(calls.map((call) => call().catch(() => undefined))); // warm
  const times: number[] = [];
  let failed = 0;
  const processorBefore = processorMs(pid ?? -1);
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1_000;
  const work = calls.map(async (call) => {
    while (performance.now() < endsAt) {
      const sentAt = performance.now();
      try {
        await call();
        times.push(performance.now() - sentAt);
      } catch {
        failed++;
      }
    }
  });
  await Promise.all(work);
  const elapsed = (performance.now() - startedAt) / 1_000;
  times.sort((a, b) => a - b);
  return {
    perSecond: times.length / elapsed,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    failed,
    processor: (processorMs(pid ?? -1) - processorBefore) / times.length,
  };
}

async function post(url: string, headers: Record<string, string>, body: unknown) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { response, text: await response.text() };
}

function expectContent(ok: boolean, text: string, mark: string): void {
  if (!ok || !text.includes(mark)) throw new Error(`not an answer: ${text.slice(0, 200)}`);
}

type Fields = Readonly<Record<string, unknown>>;

/** What keypool-mcp asks the upstream for a call: everybody is to ask the same. */
async function askedUpstream(open: Open, simulator: Simulator): Promise<Fields> {
  await (await open(0))();
  const body = simulator.calls.findLast(({ provider }) => provider === 'deepseek')?.body;
  if (typeof body !== 'object' || body === null) throw new Error('the upstream was not asked');
  return { ...body };
}

function direct(simulator: Simulator, secrets: readonly string[], body: Fields): Open {
  return (caller) => {
    const authorization = `Bearer ${secrets[caller % secrets.length] ?? ''}`;
    return Promise.resolve(async () => {
      const url = `${simulator.deepseekUrl}/chat/completions`;
      const { response, text } = await post(url, { authorization }, body);
      expectContent(response.ok, text, 'finish_reason');
    });
  };
}

const TOOL = { name: 'deepseek_generate_code', arguments: { prompt: PROMPT } };
const MCP_HEADERS = {
  authorization: `Bearer ${TOKEN}`,
  accept: 'application/json, text/event-stream',
};

function overStdio(client: LineClient): Open {
  return () => Promise.resolve(() => client.call(TOOL.name, TOOL.arguments));
}

function legacy(url: string): Open {
  return async () => {
    const clientInfo = { name: 'bench', version: '0' };
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
    const opened = await post(`${url}/mcp`, MCP_HEADERS, {
      jsonrpc: '2.0',
      id: 0,
      method: 'initialize',
      params,
    });
    const session = opened.response.headers.get('mcp-session-id') ?? '';
    const headers = { ...MCP_HEADERS, 'mcp-session-id': session };
    let id = 0;
    return async () => {
      id++;
      const request = { jsonrpc: '2.0', id, method: 'tools/call', params: TOOL };
      const { response, text } = await post(`${url}/mcp`, headers, request);
      expectContent(response.ok, text, '"structuredContent"');
    };
  };
}

function modern(url: string): Open {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '0' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const headers = {
    ...MCP_HEADERS,
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': TOOL.name,
  };
  return () => {
    let id = 0;
    return Promise.resolve(async () => {
      id++;
      const params = { ...TOOL, _meta };
      const request = { jsonrpc: '2.0', id, method: 'tools/call', params };
      const { response, text } = await post(`${url}/mcp`, headers, request);
      expectContent(response.ok, text, '"structuredContent"');
    });
  };
}

function peer(url: string, simulator: Simulator, secrets: readonly string[], asked: Fields): Open {
  const headers = gatewayHeaders(simulator.deepseekUrl, secrets);
  // Whole, and not streamed like the others: generating takes as long.
  const { stream_options: _streamed, ...rest } = asked;
  const body = { ...rest, stream: false };
  return () =>
    Promise.resolve(async () => {
      const { response, text } = await post(`${url}/v1/chat/completions`, headers, body);
      expectContent(response.ok, text, 'finish_reason');
    });
}

function row(cells: readonly string[]): string {
  const widths = [26, 8, 10, 8, 9, 9, 11, 11, 8, 10];
  return cells
    .map((cell, at) => (at === 0 ? cell.padEnd(26) : cell.padStart(widths[at] ?? 8)))
    .join('');
}

const simulator = await startSimulator();
const keys = [1, 2, 3, 4].map((number) => ({
  name: number === 1 ? 'DEEPSEEK_API_KEY' : `DEEPSEEK_API_KEY_${number}`,
  secret: `sk-test-${randomBytes(12).toString('hex')}`,
}));
const secrets = keys.map(({ secret }) => secret);
for (const secret of secrets) {
  simulator.addKey(secret, {
    provider: 'deepseek',
    ttftMs: 40,
    tokensPerSecond: 4_000,
    answerTokens: 100,
    jitter: 0.1,
  });
}
const home = await createHome({ simulator, keys, env: { KEYPOOL_LOG_LEVEL: 'warn' } });
const program = new Program({
  args: ['serve', '--http', '--port', '0', '--log-level', 'info'],
  env: { ...home.env, KEYPOOL_HTTP_TOKEN: TOKEN },
});
let url = '';
await until(() => {
  url = /"url":"([^"]+)"/.exec(program.stderr)?.[1] ?? '';
  return Promise.resolve(url !== '');
});
const client = new LineClient(home.env);
await client.initialize();
const started = values.peer ? await startGateway() : null;

const asked = await askedUpstream(legacy(url), simulator);

const ways: ReadonlyArray<readonly [string, Open, (number | null)?]> = [
  ['direct', direct(simulator, secrets, asked)],
  ['keypool-mcp, stdio', overStdio(client), client.pid],
  ['keypool-mcp, 2025-11-25', legacy(url), program.pid],
  ['keypool-mcp, 2026-07-28', modern(url), program.pid],
  ...(started === null
    ? []
    : [['portkey gateway', peer(started.url, simulator, secrets, asked)] as const]),
];
try {
  console.log(`node ${process.version}, ${seconds} s each, upstream about 65 ms a call\n`);
  console.log(
    row([
      'way',
      'clients',
      'calls/s',
      'share',
      'p50 ms',
      'p99 ms',
      'added p50',
      'added p99',
      'failed',
      'CPU/call',
    ]),
  );
  for (const [, open] of ways) await warmUp(open);
  for (const clients of clientCounts) {
    let base: Measured | null = null;
    for (const [name, open, pid = null] of ways) {
      const found = await measure(open, clients, pid);
      base ??= found;
      const ms = (value: number): string => value.toFixed(1);
      console.log(
        row([
          name,
          String(clients),
          found.perSecond.toFixed(1),
          `${((found.perSecond / base.perSecond) * 100).toFixed(0)} %`,
          ms(found.p50),
          ms(found.p99),
          ms(found.p50 - base.p50),
          ms(found.p99 - base.p99),
          String(found.failed),
          Number.isNaN(found.processor) ? '' : found.processor.toFixed(2),
        ]),
      );
    }
  }
} finally {
  started?.stop();
  await client.close();
  program.kill('SIGKILL');
  await program.exit;
  await simulator.close();
  home.remove();
}
