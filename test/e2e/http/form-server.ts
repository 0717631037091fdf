/** The built program over HTTP, and requests to it byte by byte: fetch would set headers itself. */

import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect } from 'vitest';
import { canarySecret } from '../../../lab/canary.ts';
import { TOKEN, untilListening } from '../../../lab/program/http-program.ts';
import { Program } from '../../../lab/program/program.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

const KEY = canarySecret('pplx-fake');
export const PAGE = 'https://app.example';
export const INFO = { name: 'test-client', version: '1.0.0' };
export const BEARER = { authorization: `Bearer ${TOKEN}` };
export const JSON_TYPE = { 'content-type': 'application/json' };
export const ACCEPT = { accept: 'application/json, text/event-stream' };
export const POST = { ...BEARER, ...JSON_TYPE, ...ACCEPT };
export const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': INFO,
  'io.modelcontextprotocol/clientCapabilities': {},
};

let simulator: Simulator;
export let home: Home;
export let server: Program;
export let url: string;
export let port: number;

export async function start(args: readonly string[]): Promise<[Program, string]> {
  const program = new Program({
    args: ['serve', '--http', '--port', '0', ...args],
    env: { ...home.env, KEYPOOL_HTTP_TOKEN: TOKEN },
  });
  return [program, await untilListening(program)];
}

/** Runs while the tests of the file do that calls it. */
export function serveForms(): void {
  beforeAll(async () => {
    simulator = await startSimulator({ seed: 3 });
    simulator.addKey(KEY, { provider: 'perplexity' });
    home = await createHome({ simulator, env: { PERPLEXITY_API_KEY: KEY } });
    [server, url] = await start(['--allow-origin', PAGE, '--allow-host', 'keys.example']);
    port = Number(new URL(url).port);
  });

  afterAll(async () => {
    server.kill();
    await server.exit;
    home.remove();
    await simulator.close();
  });
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** fetch would set Host, Origin and Accept itself. */
export function ask(
  path: string,
  headers: Readonly<Record<string, string>>,
  { method = 'GET', body }: { method?: string; body?: unknown } = {},
): Promise<Answer> {
  const sent = body === undefined ? undefined : JSON.stringify(body);
  const length = sent === undefined ? {} : { 'content-length': String(Buffer.byteLength(sent)) };
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port, path, method, headers: { ...length, ...headers }, agent: false },
      (answer) => {
        const { statusCode: status = 0, headers: said } = answer;
        text(answer).then((read) => resolve({ status, headers: said, body: read }), reject);
      },
    );
    asked.on('error', reject).end(sent);
  });
}

export function post(body: unknown, headers: Readonly<Record<string, string>> = {}, path = '/mcp') {
  return ask(path, { ...POST, ...headers }, { method: 'POST', body });
}

export function message(method: string, params?: unknown, id: unknown = 1) {
  return { jsonrpc: '2.0', id, method, ...(params !== undefined && { params }) };
}

export const INITIALIZE = message('initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: INFO,
});

export async function openSession(headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const { status, headers: said, body } = await post(INITIALIZE, headers);
  expect(status, body).toBe(200);
  return String(said['mcp-session-id']);
}

export function modern(method: string, name?: string): Record<string, string> {
  return {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
    ...(name !== undefined && { 'mcp-name': name }),
  };
}

/** A connection by hand; `said` is whole when the server has closed it. */
export function byHand(bytes: string): { socket: Socket; said: Promise<string> } {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  socket.setTimeout(10_000, () => socket.destroy(new Error('the connection stayed open')));
  return { socket, said: text(socket) };
}

export function head(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
): string {
  const lines = Object.entries({ Host: `127.0.0.1:${port}`, ...headers });
  return `${method} ${path} HTTP/1.1\r\n${lines.map(([n, v]) => `${n}: ${v}\r\n`).join('')}\r\n`;
}
