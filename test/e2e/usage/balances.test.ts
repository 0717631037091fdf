/** What accounts have: three programs of one home ask once for each, and each of them knows it. */

import { afterEach, beforeEach, expect, it } from 'vitest';
import { startHttp } from '../../../lab/program/http-program.ts';
import { SharedHome } from '../../../lab/sharing/shared-programs.ts';
import { until } from '../../../lab/until.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

let simulator: Simulator;
let shared: SharedHome;

beforeEach(async () => {
  simulator = await startSimulator({ seed: 16 });
  const keys = [{}, { account: 'other' }];
  shared = await SharedHome.create(simulator, { slots: 5, answerMs: 20, keys });
});
afterEach(async () => {
  await shared.close();
  await simulator.close();
});

it('three programs of a home cost an account one question, and all of them know the answer', async () => {
  const asked = (): number => simulator.calls.filter(({ path }) => path === '/user/balance').length;
  const [one, other] = [await shared.assistant(), await shared.assistant()];
  const server = await startHttp(shared.home.env);
  const work = async (): Promise<void> => {
    for (const each of [one, other]) expect((await each.call('hello')).ok).toBe(true);
    const body = await server.call('deepseek_generate_code', { prompt: 'hello' });
    expect(body).toContain('"structuredContent"');
  };
  await work();
  await until('it is asked', () => asked() >= 2, 15_000);
  // Whoever did not ask looks again, and reads what was written down.
  await until(
    'the server knows it',
    async () => {
      await work();
      const metrics = await (await server.ask('/metrics')).text();
      return (metrics.match(/deepseek_account_balance\{/g) ?? []).length === 2;
    },
    30_000,
  );
  expect(asked()).toBe(2);
}, 90_000);
