/** What calls cost, on the built program: in the result, in the ledger, beside the provider's bill. */

import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canarySecret } from '../../../lab/canary.ts';
import { startHttp } from '../../../lab/program/http-program.ts';
import { run } from '../../../lab/program/program.ts';
import {
  callTool,
  connect,
  connectModern,
  RawClient,
  type Session,
} from '../../../lab/program/test-client.ts';
import { createHome, type Home, type HomeOptions } from '../../../lab/program/test-home.ts';
import { until } from '../../../lab/until.ts';
import {
  type FaultScript,
  type Simulator,
  startSimulator,
} from '../../../src/simulator/simulator.ts';

let simulator: Simulator;
let home: Home;
let session: Session | null;

beforeEach(async () => {
  simulator = await startSimulator({ seed: 7 });
  session = null;
});
afterEach(async () => {
  await session?.close();
  home?.remove();
  await simulator.close();
});

const FAST = { capacity: 8, ttftMs: 5, tokensPerSecond: 20_000, jitter: 0 } as const;

/** A server with one key of each provider, whose accounts share no bill. */
async function serve(options: HomeOptions & { faults?: FaultScript } = {}) {
  const { faults = [], ...rest } = options;
  const [deepseek, perplexity] = [canarySecret(), canarySecret('pplx-fake')];
  simulator.addKey(deepseek, { provider: 'deepseek', account: 'deep', ...FAST, faults });
  simulator.addKey(perplexity, { provider: 'perplexity', account: 'plex', ...FAST });
  const keys = [
    { name: 'DEEPSEEK_API_KEY', secret: deepseek, account: 'main' },
    { name: 'PERPLEXITY_API_KEY', secret: perplexity },
  ];
  home = await createHome({ simulator, keys, ...rest });
  session = await connect(home.env);
  return { client: session.client, deepseek, perplexity };
}

async function leave(): Promise<void> {
  await session?.close();
  session = null;
}

function ledgerText(): string {
  const folder = join(home.folder, 'usage');
  const names = readdirSync(folder).filter((name) => name.startsWith('ledger-'));
  return names.map((name) => readFileSync(join(folder, name), 'utf8')).join('');
}

// biome-ignore lint/suspicious/noExplicitAny: a line's fields are looked into freely
const ledger = (): any[] =>
  ledgerText()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

const billed = (account: string): number =>
  simulator.bill(account).reduce((sum, { amount }) => sum + amount, 0);

const PROMPT = { prompt: 'Write a stack. The word secret-word-of-the-prompt is not written down.' };

describe('a call', () => {
  it('costs what the provider bills, in the result and in the ledger', async () => {
    const { client, deepseek } = await serve();
    const code = await callTool(client, 'deepseek_generate_code', PROMPT);
    const found = await callTool(client, 'perplexity_search', { query: ['a', 'b'] });
    const answered = await callTool(client, 'perplexity_search', { query: 'a', answer: 'fast' });
    expect(code.structuredContent?.cost_usd).toBeCloseTo(billed('deep'), 7);
    const [first = 0, second = 0] = simulator.bill('plex').map(({ amount }) => amount);
    expect(found.structuredContent?.cost_usd).toBe(0.005);
    expect([first, second]).toEqual([0.005, answered.structuredContent?.cost_usd]);
    await leave();
    const lines = ledger();
    expect(lines.map(({ provider, model, outcome }) => [provider, model, outcome])).toEqual([
      ['deepseek', 'deepseek-flash', 'ok'],
      ['perplexity', 'search', 'ok'],
      ['perplexity', 'agent fast', 'ok'],
    ]);
    expect(lines[0]).toMatchObject({
      key: 'DEEPSEEK_API_KEY',
      key_id: deepseek.slice(-6),
      account: 'main',
      tool: 'deepseek_generate_code',
      client: 'test-client',
      perhaps: false,
      prompt_tokens: expect.any(Number),
      cost_usd: expect.closeTo(billed('deep'), 9),
      prices: '2026-11-27',
    });
    expect(lines[0].cost_cny / lines[0].cost_usd).toBeGreaterThan(6);
    const shown = await run(['usage', '--json'], home.env);
    const { total, groups } = JSON.parse(shown.stdout);
    expect(total).toMatchObject({ attempts: 3, served: 3, unpriced_attempts: 0 });
    expect(total.cost_usd).toBeCloseTo(billed('deep') + billed('plex'), 7);
    expect(groups).toHaveLength(1);
    const page = await run(['usage', '--by', 'tool'], home.env);
    expect(page.stdout).toMatch(/^perplexity_search\s+2 /m);
    expect(ledgerText()).not.toContain('secret-word');
    expect(ledgerText()).not.toContain(deepseek.slice(0, 8));
    const [name = ''] = readdirSync(join(home.folder, 'usage'));
    expect(statSync(join(home.folder, 'usage', name)).mode & 0o777).toBe(0o600);
  });

  it('that broke off and was resumed counts every attempt, the broken one as perhaps', async () => {
    const { client } = await serve({ faults: [{ fault: 'cut' }] });
    const result = await callTool(client, 'deepseek_generate_code', PROMPT);
    expect(result.structuredContent).toMatchObject({ attempts: 2 });
    await leave();
    const lines = ledger();
    expect(lines.map(({ outcome, perhaps }) => [outcome, perhaps])).toEqual([
      ['cut', true],
      ['ok', false],
    ]);
    const sum = lines[0].cost_usd + lines[1].cost_usd;
    expect(result.structuredContent?.cost_usd).toBeCloseTo(sum, 7);
    expect(lines[0].most_usd).toBeGreaterThan(lines[0].cost_usd);
    // The prompt of the broken one was told by nobody: it is estimated.
    expect(Math.abs(sum / billed('deep') - 1)).toBeLessThan(0.1);
  });

  it('that was refused costs nothing, and is written down', async () => {
    const { client } = await serve({ faults: [{ fault: 'overloaded' }] });
    await callTool(client, 'deepseek_generate_code', PROMPT);
    await leave();
    expect(ledger()[0]).toMatchObject({ outcome: 'overloaded', cost_usd: 0, perhaps: false });
  });

  it('that the caller left is perhaps, with what had arrived', async () => {
    const { client, deepseek } = await serve();
    simulator.setBehaviour(deepseek, { tokensPerSecond: 60, answerTokens: 400 });
    const controller = new AbortController();
    const call = callTool(client, 'deepseek_generate_code', PROMPT, {
      signal: controller.signal,
    });
    call.catch(() => {});
    await until('tokens arrive', () => (simulator.calls.at(-1)?.completionTokens ?? 0) > 20);
    controller.abort();
    await expect(call).rejects.toThrow();
    await until('the bill is written', () => simulator.bill('deep').length === 1);
    await leave();
    const [line] = ledger();
    expect(line).toMatchObject({ outcome: 'cancelled', perhaps: true });
    expect(line.cost_usd / billed('deep')).toBeGreaterThan(0.7);
    expect(line.most_usd).toBeGreaterThan(billed('deep'));
  });

  it('of a model without a price has none', async () => {
    const { client } = await serve({ env: { DEEPSEEK_MODEL: 'deepseek-v4.1-pro' } });
    await callTool(client, 'deepseek_generate_code', PROMPT);
    await leave();
    expect(ledger()[0]).toMatchObject({ model: 'deepseek-v4.1-pro', outcome: 'unknown_model' });
    expect(ledger()[0].cost_usd).toBeNull();
  });
});

describe('the client', () => {
  it('is named as it named itself in the modern era and over HTTP, too', async () => {
    const { deepseek } = await serve();
    const modern = await connectModern(home.env);
    await callTool(modern.client, 'deepseek_generate_code', PROMPT);
    await modern.close();
    const server = await startHttp(home.env);
    await server.call('deepseek_generate_code', PROMPT);
    const metrics = await (await server.ask('/metrics')).text();
    const labels = `key_id="${deepseek.slice(-6)}",model="deepseek-flash",period="\\w+"`;
    expect(metrics).toMatch(new RegExp(`^deepseek_cost_usd_total\\{${labels}\\} 0\\.000`, 'm'));
    await until('the ledger is written', () => ledger().length === 2);
    await leave();
    expect(ledger().map(({ client: name }) => name)).toEqual(['test-client', 'test']);
  });

  it('that calls itself by a secret is not written down as it', async () => {
    const secret = canarySecret();
    simulator.addKey(secret, { provider: 'deepseek', ...FAST });
    home = await createHome({ simulator, keys: [{ name: 'DEEPSEEK_API_KEY', secret }] });
    const raw = new RawClient(home.env);
    const clientInfo = { name: secret, version: '1' };
    await raw.request('initialize', {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo,
    });
    raw.notify('notifications/initialized');
    await raw.callTool('deepseek_generate_code', { ...PROMPT, model: secret });
    await raw.close();
    expect(ledger()).toHaveLength(1);
    expect(ledgerText()).not.toContain(secret.slice(0, 12));
  });
});

describe('the program', () => {
  it('writes nothing down with KEYPOOL_LEDGER=off, and still says what a call cost', async () => {
    const { client } = await serve({ env: { KEYPOOL_LEDGER: 'off' } });
    const result = await callTool(client, 'deepseek_generate_code', PROMPT);
    expect(result.structuredContent?.cost_usd).toBeGreaterThan(0);
    await leave();
    expect(readdirSync(home.folder)).not.toContain('usage');
  });

  it('serves on when the ledger cannot be written, and says so once', async () => {
    const { client } = await serve();
    writeFileSync(join(home.folder, 'usage'), 'in the way');
    for (let call = 0; call < 3; call++) {
      const result = await callTool(client, 'deepseek_generate_code', PROMPT);
      expect(result.isError).not.toBe(true);
    }
    const program = session?.program;
    await leave();
    const said = program?.stderr.split('\n').filter((line) => line.includes('ledger')) ?? [];
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('cannot be written');
  });

  it('prices by the table of the home folder, from the moment it is there', async () => {
    const { client } = await serve();
    const table = {
      'deepseek/deepseek-flash': { input_cost_per_token: 1e-3, output_cost_per_token: 2e-3 },
    };
    writeFileSync(join(home.folder, 'prices.json'), JSON.stringify(table));
    let result = await callTool(client, 'deepseek_generate_code', PROMPT);
    for (let call = 0; call < 50 && Number(result.structuredContent?.cost_usd) < 0.1; call++) {
      result = await callTool(client, 'deepseek_generate_code', PROMPT);
    }
    expect(result.structuredContent?.cost_usd).toBeGreaterThan(0.1);
    expect(result.content).toMatchObject([
      { text: expect.stringMatching(/about \$\d+\.\d\d \(estimated\)/) },
    ]);
    writeFileSync(
      join(home.folder, 'prices.json'),
      '{\n  "format": "keypool-mcp prices 1",\n  "red": 1\n}',
    );
    await until(
      'the mistake is said',
      () => session?.program.stderr.includes('red is unknown') === true,
    );
    expect(session?.program.stderr).toContain('line 3: red is unknown');
    const after = await callTool(client, 'deepseek_generate_code', PROMPT);
    expect(after.structuredContent?.cost_usd).toBeLessThan(0.1);
  });
});
