/** What is wrong with keys and accounts, said once in the next result, on the built program. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canarySecret } from '../../../lab/canary.ts';
import { startHttp } from '../../../lab/program/http-program.ts';
import { callTool, connect, type Session, textOf } from '../../../lab/program/test-client.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { until } from '../../../lab/until.ts';
import {
  type FaultScript,
  type KeyBehaviour,
  type Simulator,
  startSimulator,
} from '../../../src/simulator/simulator.ts';

let simulator: Simulator;
let home: Home;
const sessions: Session[] = [];

beforeEach(async () => {
  simulator = await startSimulator({ seed: 7 });
});
afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.close()));
  home.remove();
  await simulator.close();
});

const FAST: Partial<KeyBehaviour> = { ttftMs: 5, tokensPerSecond: 20_000, jitter: 0 };

/** Two accounts of which the first one has a fault. */
async function serve(faults: FaultScript, behaviour: Partial<KeyBehaviour> = {}) {
  const [bad, good] = [canarySecret(), canarySecret()];
  simulator.addKey(bad, { provider: 'deepseek', account: 'bad', ...FAST, ...behaviour, faults });
  simulator.addKey(good, { provider: 'deepseek', account: 'good', ...FAST });
  const keys = [
    { name: 'DEEPSEEK_API_KEY', secret: bad, account: 'first' },
    { name: 'DEEPSEEK_API_KEY_2', secret: good, account: 'second' },
  ];
  home = await createHome({ simulator, keys });
  return { bad, good };
}

async function open(): Promise<Session> {
  const session = await connect(home.env);
  sessions.push(session);
  return session;
}

/** The texts of calls, one after the other. */
async function texts({ client }: Session, count: number): Promise<string[]> {
  const said: string[] = [];
  for (let call = 0; call < count; call++) {
    const result = await callTool(client, 'deepseek_generate_code', { prompt: 'Write a stack' });
    expect(result.isError).not.toBe(true);
    said.push(textOf(result));
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  return said;
}

const saying = (said: readonly string[], words: string): number =>
  said.filter((text) => text.includes(words)).length;

describe('the next result', () => {
  it('says once, of all programs of a home, that a key was rejected, and what replaces it', async () => {
    const { bad } = await serve([{ fault: 'invalid_key', times: 1_000 }]);
    const [first, second] = [await open(), await open()];
    const said = [...(await texts(first, 4)), ...(await texts(second, 4))];
    expect(saying(said, 'does not serve')).toBe(1);
    const one = said.find((text) => text.includes('does not serve')) ?? '';
    expect(one).toContain(
      `DEEPSEEK_API_KEY (${bad.slice(-6)}) does not serve: rejected by DeepSeek (401). Replace it with: keypool-mcp keys add DEEPSEEK_API_KEY`,
    );
    const log = `${first.program.stderr}${second.program.stderr}`;
    expect(log.split('A key does not serve')).toHaveLength(2);
    for (const text of [...said, log]) expect(text).not.toContain(bad.slice(0, -6));
  });

  it('says once that an account has no money', async () => {
    await serve([{ fault: 'no_balance', times: 1_000 }]);
    const said = await texts(await open(), 4);
    expect(saying(said, 'Account first: no balance left at DeepSeek (402)')).toBe(1);
  });

  it('says once that an account rests for long', async () => {
    await serve([{ fault: 'retry_after', times: 1_000, retryAfter: '120' }]);
    const said = await texts(await open(), 4);
    expect(saying(said, 'Account first has been resting for')).toBe(1);
    const server = await startHttp(home.env);
    for (let call = 0; call < 2; call++) {
      await server.call('deepseek_generate_code', { prompt: 'Write a stack' });
    }
    const metrics = await (await server.ask('/metrics')).text();
    expect(metrics).toMatch(/^deepseek_account_cooling_seconds\{account="first"\} \d/m);
    expect(metrics).toMatch(/^deepseek_account_cooling_seconds\{account="second"\} 0$/m);
  });

  it('says once that a balance is running out, and what it is', async () => {
    await serve([], { balance: 0.001 });
    const session = await open();
    await texts(session, 2);
    // Some seconds after the first call.
    const isAsked = () => simulator.calls.some(({ path }) => path === '/user/balance');
    await until('the balances are asked for', isAsked);
    const said = await texts(session, 3);
    expect(saying(said, 'Account first has 0.00 USD left: less than a day')).toBe(1);
  });
});
