/** Ledgers, balances and clocks that are not as they should be, on the built program. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canarySecret } from '../../../lab/canary.ts';
import { startHttp } from '../../../lab/program/http-program.ts';
import { run } from '../../../lab/program/program.ts';
import { callTool, connect, type Session, textOf } from '../../../lab/program/test-client.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { PATIENT } from '../../../lab/until.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';
import { balanceLine } from '../../../src/usage/ledger/balance-reading.ts';
import { lineOf } from '../../../src/usage/ledger/entry.ts';
import { entryAt } from '../../usage/entries.ts';

const DATED = fileURLToPath(new URL('../../../lab/usage/dated.mjs', import.meta.url));

let simulator: Simulator;
let home: Home;
let session: Session | null = null;

beforeEach(async () => {
  simulator = await startSimulator({ seed: 7 });
  const secret = canarySecret();
  simulator.addKey(secret, { provider: 'deepseek', ttftMs: 5, tokensPerSecond: 20_000, jitter: 0 });
  const keys = [{ name: 'DEEPSEEK_API_KEY', secret, account: 'main' }];
  home = await createHome({ simulator, keys });
});
afterEach(async () => {
  await session?.close();
  session = null;
  home.remove();
  await simulator.close();
});

/** The clock of a program: an instant and a zone. */
const at = (now: string, zone = 'UTC') => ({
  NODE_OPTIONS: `--import ${DATED}`,
  LAB_NOW: now,
  TZ: zone,
});

function write(name: string, text: string): void {
  mkdirSync(join(home.folder, 'usage'), { recursive: true });
  writeFileSync(join(home.folder, 'usage', name), text);
}

async function usage(clock: Record<string, string>, ...args: string[]) {
  const { code, stdout } = await run(['usage', ...args], { ...home.env, ...clock });
  expect(code).toBe(0);
  return stdout;
}

const generate = ({ client }: Session) =>
  callTool(client, 'deepseek_generate_code', { prompt: 'Write a stack', max_tokens: 400 });

describe('a ledger', () => {
  it('with a torn, a foreign and a future line counts the others, and says how many it left out', async () => {
    const good = lineOf(entryAt('2026-11-20T10:00:00Z'));
    const torn = lineOf(entryAt('2026-11-20T11:00:00Z')).slice(0, 80);
    const later = good.replace('"v":1', '"v":2');
    const tomorrow = lineOf(entryAt('2026-12-24T10:00:00Z'));
    write(
      'ledger-2026-11.jsonl',
      `${good}\n${torn}${good}\nnot ours\n${later}\n${tomorrow}\n${torn}`,
    );
    const clock = at('2026-11-27T12:00:00Z');
    const text = await usage(clock);
    expect(text).toContain('$1.00 spent from 2026-11-01 to 2026-11-27, 2 attempts');
    expect(text).toContain('4 lines of the ledger could not be read and are left out.');
    const { total } = JSON.parse(await usage(clock, '--json'));
    expect(total).toMatchObject({ attempts: 2, cost_usd: 1 });
  });

  it('of an account in yuan stands beside its balance in yuan', async () => {
    const cny = { estimate: 3.5, least: 3.5, most: 3.5, offPeak: 3.5 };
    write('ledger-2026-11.jsonl', `${lineOf(entryAt('2026-11-20T10:00:00Z', { cny }))}\n`);
    const readings = [
      ['2026-11-20T09:00:00Z', 47.44],
      ['2026-11-20T11:00:00Z', 43.9],
    ] as const;
    const lines = readings.map(([time, amount]) =>
      balanceLine({
        at: Date.parse(time),
        provider: 'deepseek',
        account: 'main',
        currency: 'CNY',
        amount,
      }),
    );
    write('balances-2026-11.jsonl', `${lines.join('\n')}\n`);
    const text = await usage(at('2026-11-27T12:00:00Z'));
    expect(text).toContain('47.44 → 43.90 CNY.');
    expect(text).toContain('By it 3.54 spent; by this ledger 3.50 spent.');
  });
});

describe('a price table with a mistake', () => {
  it('is named with line and mistake by whatever asks for prices, and the built-in one is used', async () => {
    const path = join(home.folder, 'prices.json');
    writeFileSync(path, '{\n  "format": "keypool-mcp prices 1",\n  "red": 1\n}');
    const sentence = /prices\.json is not used: line 3: red is unknown.*; the built-in prices of/;
    const shown = await run(['usage'], home.env);
    expect([shown.code, shown.stderr]).toEqual([0, expect.stringMatching(sentence)]);
    const [tasks, out] = [join(home.tmp, 'tasks.jsonl'), join(home.tmp, 'out.jsonl')];
    writeFileSync(tasks, '{"id": 1, "prompt": "Write a stack"}\n');
    const batch = await run(['batch', tasks, '--out', out], home.env);
    expect([batch.code, batch.stderr]).toEqual([0, expect.stringMatching(sentence)]);
    expect(batch.stdout).toMatch(/^cost \$0\.\d+ by estimate$/m);
    const server = await startHttp(home.env);
    const view: unknown = await (await server.ask('/api/money')).json();
    expect(view).toMatchObject({ problem: expect.stringMatching(sentence) });
  });
});

describe('a day', () => {
  it('is the user’s, and ends for a running server when its clock jumps over midnight', async () => {
    // 23:00 in Berlin: the budget of the 27th is for one more hour.
    const clock = at('2026-11-27T22:00:00Z', 'Europe/Berlin');
    session = await connect({ ...home.env, ...clock });
    const cost = Number((await generate(session)).structuredContent?.cost_usd);
    await run(['budget', 'set', `${(cost / 2).toFixed(6)}/day`], { ...home.env, ...clock });
    const refused = await generate(session);
    expect(textOf(refused)).toContain('begins anew on 2026-11-28 at 00:00 (Europe/Berlin)');
    process.kill(session.program.pid, 'SIGUSR2');
    await expect
      .poll(async () => (await generate(session ?? never())).isError ?? false, PATIENT)
      .toBe(false);
    await session.close();
    session = null;
    const days = await usage(at('2026-11-28T12:00:00Z', 'Europe/Berlin'), '--csv');
    expect(days).toMatch(/^2026-11-27,1,/m);
    expect(days).toMatch(/^2026-11-28,1,/m);
  });

  it('at the end of a month, and the leap day, is where it belongs in every zone', async () => {
    const entries = ['2028-02-29T05:30:00Z', '2028-02-29T16:30:00Z', '2028-03-01T12:00:00Z'];
    const lines = (month: string): string =>
      entries
        .filter((each) => each.startsWith(month))
        .map((each) => `${lineOf(entryAt(each))}\n`)
        .join('');
    write('ledger-2028-02.jsonl', lines('2028-02'));
    write('ledger-2028-03.jsonl', lines('2028-03'));
    const now = '2028-03-01T20:00:00Z';
    expect(await usage(at(now), '--since', '2028-02-29', '--csv')).toMatch(/^2028-02-29,2,/m);
    // In Tokyo the second one was in March already.
    const tokyo = await usage(at(now, 'Asia/Tokyo'), '--csv');
    expect(tokyo).toMatch(/^2028-03-01,2,/m);
    expect(tokyo).not.toContain('2028-02');
    const hawaii = await usage(at(now, 'Pacific/Honolulu'), '--since', '2028-02-28', '--csv');
    expect(hawaii).toMatch(/^2028-02-28,1,/m);
    expect(hawaii).toMatch(/^2028-02-29,1,/m);
  });

  it('is the user’s while peaks are the provider’s', async () => {
    // A Thursday, 03:59 UTC: peak; in Los Angeles it is Wednesday evening.
    session = await connect({ ...home.env, ...at('2026-11-26T03:55:00Z', 'America/Los_Angeles') });
    await generate(session);
    await session.close();
    session = null;
    const clock = at('2026-11-26T12:00:00Z', 'America/Los_Angeles');
    const { groups, total } = JSON.parse(await usage(clock, '--json'));
    expect(groups.map(({ day }: { day: string }) => day)).toEqual(['2026-11-25']);
    expect(total.peak_usd).toBe(total.cost_usd);
    expect(total.off_peak_usd).toBeCloseTo(total.cost_usd / 2, 9);
  });
});

function never(): never {
  throw new Error('the session is over');
}

describe('doctor', () => {
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into it freely
  async function checks(env: Record<string, string> = {}): Promise<any[]> {
    return JSON.parse((await run(['doctor', '--json'], { ...home.env, ...env })).stdout).checks;
  }
  const named = (all: ReadonlyArray<{ check: string }>, name: string) =>
    all.find(({ check }) => check === name);

  it('says nothing of files that are not there, and names the line of a mistake in a price table', async () => {
    const quiet = await checks();
    expect([named(quiet, 'prices'), named(quiet, 'budgets')]).toEqual([undefined, undefined]);
    const path = join(home.folder, 'prices.json');
    writeFileSync(path, '{\n  "read": 5\n}\n');
    expect(named(await checks(), 'prices')).toMatchObject({
      status: 'warn',
      message: expect.stringMatching(/^the price table .*prices\.json is not used: line \d+: /),
      hint: 'correct the file, or remove it',
    });
    writeFileSync(path, '{\n  "read": ');
    expect(named(await checks(), 'prices')).toMatchObject({
      message: expect.stringContaining('is not JSON'),
    });
  });

  it('says what is wrong with budgets', async () => {
    expect((await run(['budget', 'set', '5/day'], home.env)).code).toBe(0);
    expect(named(await checks(), 'budgets')).toMatchObject({ status: 'ok', message: '1 set' });
    expect(named(await checks({ KEYPOOL_LEDGER: 'off' }), 'budgets')).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('the ledger that it counts by is off'),
    });
    writeFileSync(join(home.folder, 'budgets.json'), '{');
    expect(named(await checks(), 'budgets')).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('cannot be read'),
    });
  });
});
