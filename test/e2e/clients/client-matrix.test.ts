/** Every official client on both transports of the built program: each lists and calls. */

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Client as V1Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as V1StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as V1HttpClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { canarySecret } from '../../../lab/canary.ts';
import { TOKEN, untilListening } from '../../../lab/program/http-program.ts';
import { childEnvironment, PROGRAM, Program } from '../../../lab/program/program.ts';
import { callTool } from '../../../lab/program/test-client.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

const KEY = canarySecret('pplx-fake');
const INFO = { name: 'test-client', version: '1.0.0' };

let simulator: Simulator;
let home: Home;
let server: Program;
let address: URL;

beforeAll(async () => {
  simulator = await startSimulator({ seed: 7 });
  simulator.addKey(KEY, { provider: 'perplexity' });
  home = await createHome({ simulator, env: { PERPLEXITY_API_KEY: KEY } });
  server = new Program({
    args: ['serve', '--http', '--port', '0'],
    env: { ...home.env, KEYPOOL_HTTP_TOKEN: TOKEN },
  });
  address = new URL('/mcp', await untilListening(server));
});

afterAll(async () => {
  server.kill();
  await server.exit;
  home.remove();
  await simulator.close();
});

type Medium = 'stdio' | 'Streamable HTTP';
const MEDIA: readonly Medium[] = ['stdio', 'Streamable HTTP'];

const http = () => ({ requestInit: { headers: { authorization: `Bearer ${TOKEN}` } } });

function program() {
  const env = childEnvironment(home.env);
  return { command: process.execPath, args: [PROGRAM], env, stderr: 'ignore' as const };
}

async function listsAndCalls(client: V1Client | Client): Promise<void> {
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toEqual(['deepseek_generate_code', 'perplexity_search']);
  // Every one of these clients holds structuredContent against the schema that it was listed.
  const found = await callTool(client, 'perplexity_search', { query: 'typescript' });
  expect(found.isError).not.toBe(true);
  expect(found.structuredContent).toMatchObject({ key: 'PERPLEXITY_API_KEY', attempts: 1 });
}

describe.each(MEDIA)('over %s', (medium) => {
  it('the v1 client lists the tools and calls one', async () => {
    const client = new V1Client(INFO);
    const errors: Error[] = [];
    client.onerror = (error) => errors.push(error);
    await client.connect(
      medium === 'stdio'
        ? new V1StdioClientTransport(program())
        : new V1HttpClientTransport(address, http()),
    );
    onTestFinished(() => client.close());
    await listsAndCalls(client);
    expect(errors).toEqual([]);
  });

  it.each([
    ['legacy', 'legacy', '2025-11-25'],
    ['auto', 'auto', '2026-07-28'],
    ['pinned', { pin: '2026-07-28' }, '2026-07-28'],
  ] as const)(
    'the v2 client in %s mode lists the tools and calls one',
    async (_, mode, version) => {
      const client = new Client(INFO, { versionNegotiation: { mode } });
      const errors: Error[] = [];
      client.onerror = (error) => errors.push(error);
      await client.connect(
        medium === 'stdio'
          ? new StdioClientTransport(program())
          : new StreamableHTTPClientTransport(address, http()),
      );
      onTestFinished(() => client.close());
      expect(client.getNegotiatedProtocolVersion()).toBe(version);
      await listsAndCalls(client);
      expect(errors).toEqual([]);
    },
  );
});
