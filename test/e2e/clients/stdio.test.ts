/** The edges of stdio, on the built program: lines that are no message, and every way to end. */

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { canarySecret } from '../../../lab/canary.ts';
import { childEnvironment, PROGRAM } from '../../../lab/program/program.ts';
import { noise, RawClient } from '../../../lab/program/test-client.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { LINE_LIMIT } from '../../../src/mcp/stdio/read-line.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

const DEEPSEEK = canarySecret();
const PERPLEXITY = canarySecret('pplx-fake');

let simulator: Simulator;
let home: Home;

beforeAll(async () => {
  simulator = await startSimulator({ seed: 7 });
  simulator.addKey(DEEPSEEK, { provider: 'deepseek' });
  simulator.addKey(PERPLEXITY, { provider: 'perplexity' });
  home = await createHome({
    simulator,
    env: { DEEPSEEK_API_KEY: DEEPSEEK, PERPLEXITY_API_KEY: PERPLEXITY },
  });
});

beforeEach(() => {
  simulator.reset();
  simulator.setBehaviour(DEEPSEEK, { faults: [], ttftMs: 5, answerTokens: 50 });
});

afterAll(async () => {
  home.remove();
  await simulator.close();
});

function open(env: Readonly<Record<string, string>> = {}): RawClient {
  const client = new RawClient({ ...home.env, ...env });
  onTestFinished(async () => {
    client.program.kill('SIGKILL');
    await client.program.exit;
  });
  return client;
}

function hang(): void {
  simulator.setBehaviour(DEEPSEEK, { faults: [{ fault: 'never_answers', times: 1_000 }] });
}

/** An orphan that has ended may stay in the table until somebody asks for its exit code. */
function isRunning(pid: number): boolean {
  try {
    if (process.platform === 'linux') {
      return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    }
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function untilTrue(fits: () => boolean): Promise<void> {
  while (!fits()) await sleep(5);
}

/** Sends a call that never ends, and waits until the upstream has it. */
async function hangingCall(client: RawClient, id: number | string = 'hangs'): Promise<void> {
  hang();
  await client.initialize();
  const params = { name: 'deepseek_generate_code', arguments: { prompt: 'x' } };
  client.send({ jsonrpc: '2.0', id, method: 'tools/call', params });
  await untilTrue(() => simulator.calls.length > 0);
}

function expectJsonLines(stderr: string): void {
  for (const line of stderr.split('\n').filter((each) => each !== '')) {
    expect(() => JSON.parse(line)).not.toThrow();
  }
}

describe('both tools', () => {
  it('answer on the built program, with nothing but JSON-RPC on stdout', async () => {
    const client = open();
    await client.initialize();
    const code = await client.callTool('deepseek_generate_code', { prompt: 'add two numbers' });
    expect(code.result.structuredContent).toMatchObject({
      key: 'DEEPSEEK_API_KEY',
      finish_reason: 'stop',
      truncated: false,
    });
    const found = await client.callTool('perplexity_search', { query: 'typescript' });
    expect(found.result.structuredContent).toMatchObject({ key: 'PERPLEXITY_API_KEY' });
    await client.close();
    expect(noise(client.program.lines)).toEqual([]);
    expectJsonLines(client.program.stderr);
  });

  it('answer 64 calls at once, each with its own id', async () => {
    const client = open();
    await client.initialize();
    const ids = Array.from({ length: 64 }, (_, index) => `call ${index}`);
    const answers = ids.map((id) => client.answer(id));
    for (const id of ids) {
      const params = { name: 'deepseek_generate_code', arguments: { prompt: id } };
      client.send({ jsonrpc: '2.0', id, method: 'tools/call', params });
    }
    for (const { result } of await Promise.all(answers)) {
      expect(result.isError).toBeUndefined();
    }
    await client.close();
  });

  it('refuse bad arguments by name and limit', async () => {
    const client = open();
    await client.initialize();
    const { result } = await client.callTool('deepseek_generate_code', {
      prompt: 'x'.repeat(400_001),
    });
    expect(result.isError).toBe(true);
    expect(result.structuredContent).toBeUndefined();
    expect(result.content[0].text).toContain('prompt has more than 400,000 characters');
    expect(simulator.calls).toEqual([]);
    await client.close();
  });
});

describe('a line that is no message', () => {
  it.each([
    ['garbage', 'garbage', -32_700, null],
    ['half a message', '{"jsonrpc":"2.0","id":1', -32_700, null],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32_600, null],
    ['an id of null', '{"jsonrpc":"2.0","id":null,"method":"ping"}', -32_600, null],
    ['no method', '{"jsonrpc":"2.0","id":12}', -32_600, 12],
  ])('is answered, and serving goes on: %s', async (_name, line, code, id) => {
    const client = open();
    client.program.write(`${line}\n`);
    expect((await client.request('ping')).result).toEqual({});
    const [refused = ''] = client.program.lines;
    expect(JSON.parse(refused)).toMatchObject({ jsonrpc: '2.0', id, error: { code } });
    await client.close();
  });

  it('may be too long: it is refused, and serving goes on', async () => {
    const client = open();
    const params = {
      name: 'deepseek_generate_code',
      arguments: { prompt: 'x'.repeat(LINE_LIMIT) },
    };
    client.send({ jsonrpc: '2.0', method: 'tools/call', params, id: 77 });
    expect((await client.request('ping')).result).toEqual({});
    const [refused = ''] = client.program.lines;
    expect(JSON.parse(refused)).toMatchObject({ id: null, error: { code: -32_600 } });
    await client.close();
  });

  it.each([
    ['an id above 2^53', '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}'],
    ['an id below -2^53', '{"jsonrpc":"2.0","id":-9007199254740993,"method":"ping"}'],
  ])('is refused, not changed: %s', async (_name, line) => {
    const client = open();
    client.program.write(`${line}\n`);
    expect((await client.request('ping')).result).toEqual({});
    const [refused = ''] = client.program.lines;
    expect(JSON.parse(refused)).toMatchObject({ id: null, error: { code: -32_600 } });
    await client.close();
  });

  it.each([
    '{"jsonrpc":"2.0","method":"notifications/initialized","params":5}',
    '{"jsonrpc":"2.0","method":"notifications/initialized","id":null}',
    '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"other"}}',
    '{"jsonrpc":"2.0","method":"server/discover"}',
    '{"method":"nothing/such"}',
  ])('and has no id is never answered: %s', async (line) => {
    const client = open();
    client.program.write(`${line}\n`);
    expect((await client.callTool('perplexity_search', { query: '' })).result.isError).toBe(true);
    expect(client.program.lines).toHaveLength(1);
    await client.close();
  });
});

describe('a batch', () => {
  const search = {
    jsonrpc: '2.0',
    id: 'search',
    method: 'tools/call',
    params: { name: 'perplexity_search', arguments: { query: 'node', country: null } },
  };

  it('under 2025-03-26 is answered as one list', async () => {
    const client = open();
    await client.initialize('2025-03-26');
    const ping = { jsonrpc: '2.0', id: 'ping', method: 'ping' };
    const note = { jsonrpc: '2.0', method: 'notifications/initialized' };
    client.send([ping, note, search]);
    await expect.poll(() => client.program.lines.length, { timeout: 20_000 }).toBe(2);
    const answers: unknown = JSON.parse(client.program.lines[1] ?? '');
    expect(answers).toEqual([
      { jsonrpc: '2.0', id: 'ping', result: {} },
      {
        jsonrpc: '2.0',
        id: 'search',
        result: expect.objectContaining({ content: [expect.anything()] }),
      },
    ]);
    await client.close();
  });

  it('under a later revision is refused', async () => {
    const client = open();
    await client.initialize('2025-06-18');
    client.send([search]);
    expect((await client.request('ping')).result).toEqual({});
    const [, refused = ''] = client.program.lines;
    expect(JSON.parse(refused)).toMatchObject({ id: null, error: { code: -32_600 } });
    await client.close();
  });
});

describe('null where nothing is meant', () => {
  const envelope = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
    progressToken: null,
  };
  const asked = [
    ['tools/list', { cursor: null }],
    ['prompts/get', { name: 'generate_code', arguments: { task: 'x', language: null } }],
    [
      'tools/call',
      {
        name: 'perplexity_search',
        arguments: {
          query: 'node',
          max_results: null,
          max_tokens_per_page: null,
          country: null,
          search_domain_filter: null,
          search_language_filter: null,
          search_recency_filter: null,
          search_after_date_filter: null,
          search_before_date_filter: null,
          search_mode: null,
          answer: null,
        },
      },
    ],
    [
      'tools/call',
      {
        name: 'deepseek_generate_code',
        arguments: {
          prompt: 'x',
          language: null,
          context: null,
          model: null,
          thinking: null,
          temperature: null,
          max_tokens: null,
        },
      },
    ],
  ] as const;

  it.each(asked)('is as if absent in both eras: %s', async (method, params) => {
    const client = open();
    await client.initialize();
    for (const _meta of [null, { progressToken: null }, envelope]) {
      const { result } = await client.request(method, { ...params, _meta });
      expect(result).toBeDefined();
      expect(result.isError).toBeUndefined();
    }
    await client.close();
  });

  it.each([null, []])('may stand for the parameters: %j', async (params) => {
    const client = open();
    client.send({ jsonrpc: '2.0', id: 'p', method: 'ping', params });
    expect((await client.answer('p')).result).toEqual({});
    await client.close();
  });
});

describe('the process', () => {
  it('answers what was asked and leaves when its input ends', async () => {
    const client = open();
    const answer = client.answer(1);
    client.program.end('{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n');
    expect((await answer).result.tools).toHaveLength(2);
    expect(await client.program.exit).toEqual({ code: 0, signal: null });
  });

  it.each([
    ['its input ends', (client: RawClient) => client.program.end()],
    ['SIGTERM comes', (client: RawClient) => client.program.kill('SIGTERM')],
    ['SIGINT comes', (client: RawClient) => client.program.kill('SIGINT')],
  ])('aborts calls in flight and leaves within a second when %s', async (_name, leave) => {
    const client = open();
    await hangingCall(client);
    const askedAt = performance.now();
    leave(client);
    expect((await client.program.exit).code).toBe(0);
    expect(performance.now() - askedAt).toBeLessThan(1_000);
    await untilTrue(() => simulator.calls.every((call) => call.aborted));
    expect(noise(client.program.lines)).toEqual([]);
  });

  it('leaves quietly when nobody reads its output any more', async () => {
    const child = spawn(process.execPath, [PROGRAM], {
      env: childEnvironment(home.env),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('utf8');
    });
    child.stdin.on('error', () => undefined);
    const exited = new Promise((resolve) => child.once('close', resolve));
    child.stdout.destroy();
    const ping = setInterval(() => {
      child.stdin.write('{"jsonrpc":"2.0","id":1,"method":"ping"}\n');
    }, 10);
    expect(await exited).toBe(0);
    clearInterval(ping);
    expectJsonLines(stderr);
  });

  it('does not outlive a client that was killed', async () => {
    const client = `
      const { spawn } = require('node:child_process');
      const server = spawn(process.execPath, [process.argv[1]], { stdio: ['pipe', 'pipe', 'ignore'] });
      server.stdout.once('data', () => console.log(server.pid));
      server.stdin.write('{"jsonrpc":"2.0","id":1,"method":"ping"}\\n');
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['-e', client, PROGRAM], {
      env: childEnvironment(home.env),
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const pid = await new Promise<number>((resolve) => {
      parent.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString('utf8'))));
    });
    const killedAt = performance.now();
    parent.kill('SIGKILL');
    await untilTrue(() => !isRunning(pid));
    expect(performance.now() - killedAt).toBeLessThan(1_000);
  });
});

describe('cancelling', () => {
  it.each([0, 5, 'five'])('aborts the upstream request at once, unanswered: id %s', async (id) => {
    const client = open();
    await hangingCall(client, id);
    client.notify('notifications/cancelled', { requestId: id });
    await untilTrue(() => simulator.calls.every((call) => call.aborted));
    expect((await client.request('ping')).result).toEqual({});
    expect(client.messages.filter((message) => message.id === id)).toEqual([]);
    await client.close();
  });
});

describe('progress', () => {
  it('is said strictly increasing with the token of the call, and not without one', async () => {
    simulator.setBehaviour(DEEPSEEK, { ttftMs: 5_500 });
    const client = open();
    await client.initialize();
    const args = { name: 'deepseek_generate_code', arguments: { prompt: 'x' } };
    await Promise.all([
      client.request('tools/call', { ...args, _meta: { progressToken: 'mine' } }),
      client.request('tools/call', args),
    ]);
    const said = client.messages.filter((each) => each.method === 'notifications/progress');
    expect(said.length).toBeGreaterThan(1);
    expect(said.every((each) => each.params.progressToken === 'mine')).toBe(true);
    const values = said.map((each) => each.params.progress);
    expect(values).toEqual([...new Set(values)].sort((a, b) => a - b));
    await client.close();
  });
});

describe('what dependencies print', () => {
  it('never reaches stdout, and is JSON on stderr', async () => {
    const script = `setTimeout(() => setInterval(() => {
      console.log('stray', { a: 1 }); console.error('stray'); process.stdout.write('stray\\n');
      process.emitWarning('stray');
    }, 20).unref(), 500).unref()`;
    const client = open({
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(script)}`,
      OPENAI_LOG: 'debug',
    });
    await client.initialize();
    await untilTrue(() => client.program.stderr.includes('stray'));
    await client.callTool('deepseek_generate_code', { prompt: 'x' });
    await client.close();
    expect(noise(client.program.lines)).toEqual([]);
    expectJsonLines(client.program.stderr);
  });
});
