/** Every kind of client on the built program: both SDK lines, both eras, and one that races. */

import { Client as ModernClient } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { canarySecret } from '../../../lab/canary.ts';
import { childEnvironment, PROGRAM } from '../../../lab/program/program.ts';
import {
  callTool,
  connectStdio,
  noise,
  RawClient,
  resultOf,
} from '../../../lab/program/test-client.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

const DEEPSEEK = canarySecret();
const PERPLEXITY = canarySecret('pplx-fake');
const CLIENT = { name: 'test-client', version: '1.0.0' };

let simulator: Simulator;
let home: Home;

beforeAll(async () => {
  simulator = await startSimulator({ seed: 11 });
  simulator.addKey(DEEPSEEK, { provider: 'deepseek' });
  simulator.addKey(PERPLEXITY, { provider: 'perplexity' });
  home = await createHome({
    simulator,
    env: { DEEPSEEK_API_KEY: DEEPSEEK, PERPLEXITY_API_KEY: PERPLEXITY },
  });
});

beforeEach(() => {
  simulator.reset();
  simulator.setBehaviour(DEEPSEEK, { faults: [] });
});

afterAll(async () => {
  home.remove();
  await simulator.close();
});

describe('the v1 client', () => {
  it('calls both tools and reads the status', async () => {
    const session = await connectStdio(home.env);
    onTestFinished(() => session.close());
    const { tools } = await session.client.listTools();
    expect(tools.map((tool) => tool.name)).toEqual(['deepseek_generate_code', 'perplexity_search']);
    // The client itself validates structuredContent against the listed schema.
    const code = await callTool(session.client, 'deepseek_generate_code', { prompt: 'add' });
    expect(code.structuredContent).toMatchObject({ truncated: false });
    const found = await callTool(session.client, 'perplexity_search', { query: 'typescript' });
    expect(found.structuredContent).toMatchObject({ answer: null });
    const { contents } = await session.client.readResource({ uri: 'keypool://status' });
    expect(JSON.stringify(contents)).toContain('DEEPSEEK_API_KEY');
    expect(session.errors).toEqual([]);
  });
});

describe.each([
  ['legacy', 'legacy', '2025-11-25'],
  ['auto', 'auto', '2026-07-28'],
  ['pinned', { pin: '2026-07-28' }, '2026-07-28'],
] as const)('the v2 client in %s mode', (_name, mode, version) => {
  async function connect(): Promise<{ client: ModernClient; errors: Error[] }> {
    const client = new ModernClient(CLIENT, { versionNegotiation: { mode } });
    const errors: Error[] = [];
    client.onerror = (error) => errors.push(error);
    const args = [PROGRAM];
    const env = childEnvironment(home.env);
    await client.connect(
      new StdioClientTransport({ command: process.execPath, args, env, stderr: 'ignore' }),
    );
    onTestFinished(() => client.close());
    return { client, errors };
  }

  it('negotiates, calls both tools, reads, completes and is told its mistakes', async () => {
    const { client, errors } = await connect();
    expect(client.getNegotiatedProtocolVersion()).toBe(version);
    expect((await client.listTools()).tools).toHaveLength(2);
    const code = await client.callTool({
      name: 'deepseek_generate_code',
      arguments: { prompt: 'add two numbers' },
    });
    expect(code.structuredContent).toMatchObject({ key: 'DEEPSEEK_API_KEY' });
    const found = await client.callTool({
      name: 'perplexity_search',
      arguments: { query: ['typescript', 'node'], answer: 'fast' },
    });
    expect(found.structuredContent).toMatchObject({ answer: expect.any(String) });
    const bad = await client.callTool({
      name: 'perplexity_search',
      arguments: { query: 'x', max_results: 21 },
    });
    expect(bad.isError).toBe(true);
    const { resources } = await client.listResources();
    expect(resources).toHaveLength(1);
    const { contents } = await client.readResource({ uri: 'keypool://status' });
    expect(contents).toHaveLength(1);
    const { completion } = await client.complete({
      ref: { type: 'ref/prompt', name: 'generate_code' },
      argument: { name: 'model', value: 'deepseek-f' },
    });
    expect(completion.values).toContain('deepseek-flash');
    expect(errors).toEqual([]);
  });

  it('reads the rest of what a result had to cut', async () => {
    const { client } = await connect();
    const lines = `${'x'.repeat(79)}\n`.repeat(1_500);
    simulator.setBehaviour(DEEPSEEK, { answer: () => `\`\`\`js\n${lines}// the end\n\`\`\`` });
    onTestFinished(() => simulator.setBehaviour(DEEPSEEK, { answer: () => '```js\n1;\n```' }));
    const { content } = await client.callTool({
      name: 'deepseek_generate_code',
      arguments: { prompt: 'x' },
    });
    expect(content).toMatchObject([{ type: 'text' }, { type: 'resource_link' }]);
    const uri = /keypool:\/\/results\/[\w-]+/.exec(JSON.stringify(content))?.[0] ?? '';
    const { contents } = await client.readResource({ uri });
    expect(contents).toMatchObject([{ uri, text: expect.stringContaining('// the end') }]);
    await expect(client.readResource({ uri: `${uri}x` })).rejects.toThrow();
  });

  it('hears progress and cancels', async () => {
    const { client } = await connect();
    simulator.setBehaviour(DEEPSEEK, {
      faults: [{ fault: 'keep_alive_for_ever', times: 1, delayMs: 50 }],
    });
    const stop = new AbortController();
    const heard: number[] = [];
    const call = client.callTool(
      { name: 'deepseek_generate_code', arguments: { prompt: 'x' } },
      {
        signal: stop.signal,
        onprogress: ({ progress }) => {
          heard.push(progress);
          stop.abort();
        },
      },
    );
    await expect(call).rejects.toThrow();
    expect(heard[0]).toBe(1);
    expect((await client.listTools()).tools).toHaveLength(2);
  });
});

describe('a client that races both openings', () => {
  const envelope = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': CLIENT,
    'io.modelcontextprotocol/clientCapabilities': {},
  };

  it('may go on in either era, and in both at once', async () => {
    const client = new RawClient(home.env);
    onTestFinished(() => client.close());
    const discovered = client.request('server/discover', { _meta: envelope });
    const initialized = client.initialize();
    expect((await discovered).result?.supportedVersions).toEqual(['2026-07-28']);
    expect((await initialized).result?.protocolVersion).toBe('2025-11-25');
    const call = { name: 'perplexity_search', arguments: { query: 'node' } };
    const answers = await Promise.all([
      client.request('tools/call', call),
      client.request('tools/call', { ...call, _meta: envelope }),
    ]);
    const [legacy, modern] = [resultOf(answers[0]), resultOf(answers[1])];
    expect(legacy.resultType).toBeUndefined();
    expect(modern.resultType).toBe('complete');
    expect(legacy.structuredContent?.results).toBeDefined();
    expect(modern.structuredContent?.results).toEqual(legacy.structuredContent?.results);
    expect(noise(client.program.lines)).toEqual([]);
  });

  it('is told the same of parameters in another form', async () => {
    const client = new RawClient(home.env);
    onTestFinished(() => client.close());
    await client.initialize();
    const params = { name: 'generate_code', arguments: { task: ['tea'] } };
    const refused = await Promise.all([
      client.request('prompts/get', params),
      client.request('prompts/get', { ...params, _meta: envelope }),
    ]);
    const message = 'Invalid params: params.arguments is missing or malformed';
    for (const { error } of refused) expect(error).toEqual({ code: -32_602, message });
  });

  it('cancels in the era that it called in', async () => {
    simulator.setBehaviour(DEEPSEEK, { faults: [{ fault: 'never_answers', times: 2 }] });
    const running = () => simulator.calls.filter((each) => !each.aborted).length;
    const client = new RawClient(home.env);
    onTestFinished(() => client.close());
    await client.initialize();
    const call = { name: 'deepseek_generate_code', arguments: { prompt: 'x' } };
    client.send({ jsonrpc: '2.0', id: 'l', method: 'tools/call', params: call });
    const params = { ...call, _meta: envelope };
    client.send({ jsonrpc: '2.0', id: 'm', method: 'tools/call', params });
    await expect.poll(running, { timeout: 20_000 }).toBe(2);
    client.notify('notifications/cancelled', { requestId: 'm', _meta: envelope });
    await expect.poll(running, { timeout: 20_000 }).toBe(1);
    client.notify('notifications/cancelled', { requestId: 'l' });
    await expect.poll(running, { timeout: 20_000 }).toBe(0);
    expect((await client.request('ping')).result).toEqual({});
    expect(client.messages.filter(({ id }) => id === 'l' || id === 'm')).toEqual([]);
  });
});
