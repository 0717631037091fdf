/** Budgets on the built program: set by a person, kept by every program of the home. */

import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canarySecret } from '../../../lab/canary.ts';
import { run } from '../../../lab/program/program.ts';
import { callTool, connect, type Session, textOf } from '../../../lab/program/test-client.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

let simulator: Simulator;
let home: Home;
const sessions: Session[] = [];

beforeEach(async () => {
  simulator = await startSimulator({ seed: 7 });
  const secret = canarySecret();
  simulator.addKey(secret, { provider: 'deepseek', ttftMs: 5, tokensPerSecond: 20_000, jitter: 0 });
  const keys = [{ name: 'DEEPSEEK_API_KEY', secret, account: 'main' }];
  home = await createHome({ simulator, keys });
});
afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.close()));
  home.remove();
  await simulator.close();
});

async function open(): Promise<Session> {
  const session = await connect(home.env);
  sessions.push(session);
  return session;
}

const keypool = (...args: string[]) => run(args, home.env);
const generate = ({ client }: Session, args: Record<string, unknown> = {}) =>
  callTool(client, 'deepseek_generate_code', {
    prompt: 'Write a stack',
    max_tokens: 400,
    ...args,
  });

describe('keypool-mcp budget', () => {
  it('sets, lists and removes', async () => {
    expect((await keypool('budget', 'list')).stdout).toBe(
      'no budget is set: nothing caps what may be spent\n',
    );
    expect((await keypool('budget', 'set', '5/day')).stdout).toContain('at most $5.00 a day');
    await keypool('budget', 'set', '40/month', '--account', 'main');
    await keypool('budget', 'set', '1/session', '--client', 'cursor');
    const listed = await keypool('budget', 'list', '--json');
    expect(JSON.parse(listed.stdout)).toMatchObject([
      { budget: '5/day', spent_usd: 0, spent_ratio: 0 },
      { budget: '40/month account main', account: 'main' },
      { budget: '1/session client cursor', spent_usd: null },
    ]);
    expect((await keypool('budget', 'list')).stdout).toMatch(
      /^\$5\/day\s+everything\s+\$0\.0000\s+0 %/m,
    );
    expect(statSync(join(home.folder, 'budgets.json')).mode & 0o777).toBe(0o600);
    expect((await keypool('budget', 'remove', '5/day')).code).toBe(0);
    expect((await keypool('budget', 'remove', 'day')).code).toBe(1);
  });

  it.each([
    ['0/day', 'a budget of nothing'],
    ['-1/day', 'an amount cannot be below nothing'],
    ['-0.5/month', 'an amount cannot be below nothing'],
    ['5/fortnight', 'a budget is for a day, a month, a session'],
    ['lots', 'a budget is dollars and a period'],
  ])('does not take %s', async (text, why) => {
    const { code, stderr } = await keypool('budget', 'set', text);
    expect(code).toBe(2);
    expect(stderr).toContain(why);
    expect(stderr).toContain('keypool-mcp: hint: ');
  });

  it('is not for an account and a client at once', async () => {
    const { code } = await keypool('budget', 'set', '5/day', '--account', 'a', '--client', 'b');
    expect(code).toBe(2);
  });
});

describe('budgets of accounts', () => {
  /** A second account beside the first. */
  async function openTwo(): Promise<Session> {
    const secret = canarySecret();
    simulator.addKey(secret, { provider: 'deepseek', ttftMs: 5, tokensPerSecond: 20_000 });
    const added = await run(['keys', 'add', 'DEEPSEEK_API_KEY_2', '--account', 'work'], home.env, {
      input: secret,
    });
    expect(added.code).toBe(0);
    return open();
  }

  it('that are spent leave the calls to the other accounts, and refuse when all are', async () => {
    const session = await openTwo();
    const served = new Set<unknown>();
    while (served.size < 2) served.add((await generate(session)).structuredContent?.key);
    // Whatever each of them has spent, it is more than this.
    const set = async (account: string): Promise<void> => {
      expect((await keypool('budget', 'set', '0.00001/day', '--account', account)).code).toBe(0);
    };
    await set('main');
    const keys = new Set<unknown>();
    for (let call = 0; call < 4; call++) {
      const result = await generate(session);
      expect(result.isError).not.toBe(true);
      keys.add(result.structuredContent?.key);
    }
    expect([...keys]).toEqual(['DEEPSEEK_API_KEY_2']);
    await set('work');
    const before = simulator.calls.length;
    const refused = await generate(session);
    expect(refused.isError).toBe(true);
    expect(textOf(refused)).toMatch(
      /^Every account has spent its budget: \$\S+ a day for account main, \$\S+ a day for account work; of the first it begins anew on .*\. Whoever pays can raise one with: keypool-mcp budget set /,
    );
    expect(simulator.calls).toHaveLength(before);
  });

  it('let calls wait whose estimates do not fit beside each other, and refuse none of them', async () => {
    const session = await open();
    const cost = Number((await generate(session)).structuredContent?.cost_usd);
    await keypool('budget', 'set', `${(cost * 40).toFixed(6)}/day`, '--account', 'main');
    // The estimate of one is more than is left for two.
    const calls = Array.from({ length: 8 }, () => generate(session, { max_tokens: 20_000 }));
    const results = await Promise.all(calls);
    expect(results.filter(({ isError }) => isError === true)).toEqual([]);
  });
});

describe('a spent budget', () => {
  it('refuses calls of every program, says why and how, and sends nothing', async () => {
    const [first, second] = [await open(), await open()];
    await generate(first);
    const spent = Number((await generate(first)).structuredContent?.cost_usd) * 2;
    await keypool('budget', 'set', `${(spent * 1.3).toFixed(6)}/day`);
    await generate(first);
    const before = simulator.calls.length;
    for (const session of [first, second]) {
      const result = await generate(session);
      expect(result.isError).toBe(true);
      expect(textOf(result)).toMatch(
        /^The budget of \$0\.\d+ a day is spent: \$0\.\d+ by estimate, and it begins anew on \d{4}-\d\d-\d\d at 00:00 \(.+\)\. Whoever pays can raise it with: keypool-mcp budget set /,
      );
    }
    expect(simulator.calls).toHaveLength(before);
    await keypool('budget', 'set', '5/day');
    expect((await generate(second)).isError).not.toBe(true);
    const said = first.program.stderr.split('\n').filter((line) => line.includes('A budget is'));
    expect(said.length).toBeGreaterThanOrEqual(1);
  });

  it('says once, in the text of a result, that it is nearly spent', async () => {
    const session = await open();
    const cost = Number((await generate(session)).structuredContent?.cost_usd);
    await keypool('budget', 'set', `${(cost * 4.5).toFixed(6)}/day`);
    const texts = [];
    for (let call = 0; call < 4; call++) texts.push(textOf(await generate(session)));
    expect(texts.filter((text) => text.includes('Of the budget of'))).toHaveLength(1);
  });

  it('of an account leaves the others alone', async () => {
    await keypool('budget', 'set', '0.000001/day', '--account', 'other');
    const session = await open();
    expect((await generate(session)).isError).not.toBe(true);
    expect((await generate(session)).isError).not.toBe(true);
  });

  it('cannot be had without a ledger, nor with a budget file that nobody can read', async () => {
    const session = await open();
    writeFileSync(join(home.folder, 'budgets.json'), '{');
    expect(textOf(await generate(session))).toMatch(
      /^The budgets in .*budgets\.json cannot be read\. Correct the file/,
    );
    writeFileSync(
      join(home.folder, 'budgets.json'),
      readFileSync(join(home.folder, 'budgets.json')),
    );
    const other = await connect({ ...home.env, KEYPOOL_LEDGER: 'off' });
    sessions.push(other);
    writeFileSync(
      join(home.folder, 'budgets.json'),
      '{"v":1,"budgets":[{"usd":5,"per":"day","account":null,"client":null}]}',
    );
    expect(textOf(await generate(other))).toContain('the ledger that it counts by is off');
    expect((await generate(session)).isError).not.toBe(true);
  });

  it('refuses a model of which nobody knows the price', async () => {
    await keypool('budget', 'set', '5/day');
    const result = await generate(await open(), { model: 'deepseek-v9-ultra' });
    expect(textOf(result)).toContain('deepseek-v9-ultra has no price here');
    expect(simulator.calls.filter(({ path }) => path.includes('chat'))).toHaveLength(0);
  });
});
