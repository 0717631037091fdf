import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { canarySecret } from '../../../lab/canary.ts';
import { run } from '../../../lab/program/program.ts';
import {
  callTool,
  connect,
  noise,
  type Session,
  textOf,
} from '../../../lab/program/test-client.ts';
import { createHome, type Home, type HomeOptions } from '../../../lab/program/test-home.ts';
import { PATIENT } from '../../../lab/until.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

let simulator: Simulator;
let home: Home | null;
let session: Session | null;

beforeEach(async () => {
  simulator = await startSimulator({ seed: 7 });
  home = null;
  session = null;
});
afterEach(async () => {
  await session?.close();
  home?.remove();
  await simulator.close();
});

const FAST = { capacity: 8, ttftMs: 20, tokensPerSecond: 4000, jitter: 0 } as const;

function deepseekKeys(count: number, behaviour: object = {}) {
  return Array.from({ length: count }, (_, index) => {
    const secret = canarySecret();
    simulator.addKey(secret, { provider: 'deepseek', ...FAST, ...behaviour });
    return { name: index === 0 ? 'DEEPSEEK_API_KEY' : `DEEPSEEK_API_KEY_${index + 1}`, secret };
  });
}

async function serveWith(options: HomeOptions): Promise<Session> {
  home = await createHome({ simulator, ...options });
  session = await connect(home.env);
  return session;
}

const generate = (client: Session['client'], args: Record<string, unknown> = {}) =>
  callTool(client, 'deepseek_generate_code', { prompt: 'Write a stack', ...args });

describe('both tools on an encrypted store', () => {
  it('answers with code, and two calls in a row use two keys', async () => {
    const { client, program } = await serveWith({ keys: deepseekKeys(2) });
    const first = await generate(client);
    const second = await generate(client);
    expect(first.isError).not.toBe(true);
    expect(first.structuredContent).toMatchObject({
      code: expect.stringMatching(/\S/),
      finish_reason: 'stop',
      truncated: false,
      attempts: 1,
      usage: { total_tokens: expect.any(Number) },
    });
    const keys = [first, second].map((result) => result.structuredContent?.key);
    expect(keys.sort()).toEqual(['DEEPSEEK_API_KEY', 'DEEPSEEK_API_KEY_2']);
    expect(noise(program.lines)).toEqual([]);
  });

  it('answers a search with numbered sources', async () => {
    const secret = canarySecret('pplx-fake');
    simulator.addKey(secret, { provider: 'perplexity', ...FAST });
    const { client } = await serveWith({ keys: [{ name: 'PERPLEXITY_API_KEY', secret }] });
    const result = await callTool(client, 'perplexity_search', {
      query: 'node streams backpressure',
      max_results: 3,
    });
    expect(result.structuredContent).toMatchObject({
      results: expect.arrayContaining([expect.objectContaining({ url: expect.any(String) })]),
      key: 'PERPLEXITY_API_KEY',
      answer: null,
    });
    expect(textOf(result)).toMatch(/\[?1[\].)]/);
  });

  it('logs one line for each attempt, with key id and name, all of stderr as JSON', async () => {
    const [key] = deepseekKeys(1);
    if (key === undefined) throw new Error('no key');
    const { client, program } = await serveWith({ keys: [key] });
    await generate(client);
    const records = program.stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const selected = records.filter(({ msg }) => String(msg).startsWith('Selected key'));
    expect(selected.map(({ msg }) => msg)).toEqual([
      `Selected key ${key.secret.slice(-6)} (DEEPSEEK_API_KEY)`,
    ]);
  });

  it('takes a key that is added while it serves', async () => {
    const [first, second] = deepseekKeys(2);
    if (first === undefined || second === undefined) throw new Error('no keys');
    const { client } = await serveWith({ keys: [first] });
    await generate(client);
    await run(['keys', 'add', second.name], home?.env ?? {}, { input: second.secret });
    await expect
      .poll(async () => (await generate(client)).structuredContent?.key, {
        ...PATIENT,
        interval: 200,
      })
      .toBe('DEEPSEEK_API_KEY_2');
  });
});

describe('a bad day', () => {
  it('goes on with another key when one is rejected, and does not ask the dead key again', async () => {
    const [dead, alive] = deepseekKeys(2);
    if (dead === undefined || alive === undefined) throw new Error('no keys');
    simulator.setBehaviour(dead.secret, {
      faults: [{ fault: 'invalid_key', times: Number.POSITIVE_INFINITY }],
    });
    const { client } = await serveWith({ keys: [dead, alive] });
    for (let call = 0; call < 6; call++) {
      const result = await generate(client);
      expect(result.structuredContent?.key).toBe(alive.name);
    }
    const toDead = simulator.calls.filter(
      (call) => call.keyId === dead.secret.slice(-6) && call.path.includes('completions'),
    );
    expect(toDead).toHaveLength(1);
  });

  it('says which keys failed and what to do when all of them do', async () => {
    const keys = deepseekKeys(2);
    for (const { secret } of keys) {
      simulator.setBehaviour(secret, {
        faults: [{ fault: 'invalid_key', times: Number.POSITIVE_INFINITY }],
      });
    }
    const { client } = await serveWith({ keys });
    const result = await generate(client);
    expect(result.isError).toBe(true);
    expect(result.structuredContent).toBeUndefined();
    expect(textOf(result)).toMatch(/DEEPSEEK_API_KEY\b/);
    expect(textOf(result)).toMatch(/DEEPSEEK_API_KEY_2/);
    expect(textOf(result)).toMatch(/keypool-mcp keys/);
  });

  it('says so when nothing listens at the base URL', async () => {
    const port = await closedPort();
    const env = { DEEPSEEK_BASE_URL: `http://127.0.0.1:${port}`, KEYPOOL_CALL_TIMEOUT_MS: '3000' };
    const { client } = await serveWith({ keys: deepseekKeys(1), env });
    const result = await generate(client);
    expect(result.isError).toBe(true);
    expect(textOf(result)).toMatch(/DeepSeek/);
  });
});

describe('arguments that cannot be used', () => {
  let upstream: Simulator;
  let place: Home;
  let asked: Session;
  beforeAll(async () => {
    upstream = await startSimulator({ seed: 7 });
    const secret = canarySecret();
    upstream.addKey(secret, { provider: 'deepseek', ...FAST });
    place = await createHome({ simulator: upstream, env: { DEEPSEEK_API_KEY: secret } });
    asked = await connect(place.env);
  });
  afterAll(async () => {
    await asked.close();
    place.remove();
    await upstream.close();
  });

  it.each([
    ['an unknown argument', { prompt: 'x', surprise: 1 }, /surprise/],
    ['a wrong type', { prompt: 5 }, /prompt/],
    ['an empty prompt', { prompt: '' }, /prompt/],
    ['a prompt over the limit', { prompt: 'x'.repeat(400_001) }, /400,?000/],
    ['an unknown thinking mode', { prompt: 'x', thinking: 'hard' }, /thinking/],
    ['a temperature over two', { prompt: 'x', temperature: 2.1 }, /temperature/],
    ['nothing', {}, /prompt/],
  ])('%s is refused with its name and never sent', async (_, args, expected) => {
    const result = await callTool(asked.client, 'deepseek_generate_code', args);
    expect(result.isError).toBe(true);
    expect(textOf(result)).toMatch(expected);
    expect(textOf(result).length).toBeLessThan(1_000);
    expect(upstream.calls).toHaveLength(0);
  });
});

describe('a home that is not in order', () => {
  it('without a store and a key: starts, lists its tools, says what to do, and recovers', async () => {
    const { client } = await serveWith({});
    expect((await client.listTools()).tools).toHaveLength(2);
    const result = await generate(client);
    expect(result.isError).toBe(true);
    expect(textOf(result)).toMatch(/keypool-mcp (?:init|keys add)/);

    const [key] = deepseekKeys(1);
    if (key === undefined || home === null) throw new Error('no key');
    await run(['init'], home.env);
    await run(['keys', 'add', key.name], home.env, { input: key.secret });
    await expect
      .poll(async () => (await generate(client)).structuredContent?.key, {
        ...PATIENT,
        interval: 100,
      })
      .toBe('DEEPSEEK_API_KEY');
  });

  it('with keys in the environment alone: serves', async () => {
    const [key] = deepseekKeys(1);
    if (key === undefined) throw new Error('no key');
    const { client } = await serveWith({ env: { DEEPSEEK_API_KEY: key.secret } });
    expect((await generate(client)).structuredContent?.key).toBe('DEEPSEEK_API_KEY');
  });

  const unreadable: Array<[string, (folder: string) => Record<string, string>]> = [
    [
      'a truncated store',
      (folder) => {
        const path = join(folder, 'store.json');
        writeFileSync(path, readFileSync(path).subarray(0, 100));
        return {};
      },
    ],
    [
      'a foreign file in its place',
      (folder) => {
        writeFileSync(join(folder, 'store.json'), '{"some": "thing", "else": [1]}');
        return {};
      },
    ],
    ['a wrong master key', () => ({ MASTER_ENCRYPTION_KEY: 'wrong-master-passphrase-0123456789' })],
    ['a short master key', () => ({ MASTER_ENCRYPTION_KEY: 'short' })],
    [
      'no master key',
      (folder) => {
        writeFileSync(join(folder, '.env'), '');
        return {};
      },
    ],
    [
      'two master keys',
      (folder) => ({ MASTER_ENCRYPTION_KEY: 'x'.repeat(40), MASTER_ENCRYPTION_KEY_FILE: folder }),
    ],
    [
      'settings that others can read',
      (folder) => {
        chmodSync(join(folder, '.env'), 0o644);
        return {};
      },
    ],
    [
      'a folder in its place',
      (folder) => {
        const path = join(folder, 'other.json');
        mkdirSync(path);
        return { KEYPOOL_STORE: path };
      },
    ],
    ['an environment without a store', () => ({ KEYPOOL_ENVIRONMENT: 'staging' })],
  ];

  it.each(unreadable)(
    '%s: the server says so, the command ends with 3, nothing is lost',
    async (_, spoil) => {
      home = await createHome({ simulator, keys: deepseekKeys(1) });
      const env = { ...home.env, ...spoil(home.folder) };
      const path = join(home.folder, 'store.json');
      const before = readFileSync(path);

      const listed = await run(['keys', 'list'], env);
      expect(listed.code).toBe(3);
      expect(listed.stdout).toBe('');
      expect(listed.stderr).toMatch(/^keypool-mcp: error: .+\nkeypool-mcp: hint: .+\n$/);

      const added = await run(['keys', 'add', 'DEEPSEEK_API_KEY_9'], env, {
        input: canarySecret(),
      });
      expect(added.code).toBe(3);
      expect(readFileSync(path)).toEqual(before);

      session = await connect(env);
      expect((await session.client.listTools()).tools).toHaveLength(2);
      const result = await generate(session.client);
      expect(result.isError).toBe(true);
      expect(textOf(result)).not.toMatch(/internal error/i);
      expect(simulator.calls).toHaveLength(0);
    },
  );
});

describe('settings that cannot be used', () => {
  it.each([
    ['a base URL in clear', { DEEPSEEK_BASE_URL: 'http://192.0.2.1' }],
    ['a base URL with user info', { PERPLEXITY_BASE_URL: 'https://name:word@example.com' }],
    ['a time-out that is no number', { KEYPOOL_CALL_TIMEOUT_MS: 'soon' }],
  ])('%s ends the program with 2 and two lines', async (_, env) => {
    home = await createHome({ simulator, env });
    const { code, stdout, stderr } = await run(['serve'], home.env);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^keypool-mcp: error: .+\nkeypool-mcp: hint: .+\n$/);
    for (const value of Object.values(env)) expect(stderr).not.toContain(value);
  });

  it.each([
    [['keys', 'add', 'DEEPSEEK_API_KEY', 'sk-test-in-argv-000000000000']],
    [['sk-test-in-argv-000000000000']],
    [['keys', 'add', 'DEEPSEEK_API_KEY', '--sk-test-in-argv-000000000000']],
    [['keys', 'sk-test-in-argv-000000000000']],
  ])('a key in the wrong place is not repeated: %#', async (args) => {
    home = await createHome({ simulator });
    const { code, stdout, stderr } = await run(args, home.env);
    expect(code).toBe(2);
    expect(`${stdout}${stderr}`).not.toContain('test-in-argv');
  });

  it.each([
    ['a newline inside', 'sk-test-first\nsk-test-second-line'],
    ['spaces inside', 'sk-test with spaces inside'],
    ['nothing', '\n'],
  ])('a value with %s is refused and nothing is stored', async (_, value) => {
    home = await createHome({ simulator, keys: deepseekKeys(1) });
    const before = readFileSync(join(home.folder, 'store.json'));
    const { code, stderr } = await run(['keys', 'add', 'DEEPSEEK_API_KEY_2'], home.env, {
      input: value,
    });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/^keypool-mcp: error: .+\nkeypool-mcp: hint: .+\n$/);
    expect(stderr).not.toContain('sk-test');
    expect(readFileSync(join(home.folder, 'store.json'))).toEqual(before);
  });
});

function closedPort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
