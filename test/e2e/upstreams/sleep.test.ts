/** A process that was stopped, as by a lid that closes: what arrived meanwhile counts. */

import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { callTool, connect, type Session, textOf } from '../../../lab/program/test-client.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { fakeKey } from '../../../lab/store.ts';
import { until } from '../../../lab/until.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

const QUICK = { ttftMs: 300, jitter: 0, tokensPerSecond: 2_000, answerTokens: 200 } as const;

let simulator: Simulator;
let home: Home;
beforeAll(async () => {
  simulator = await startSimulator({ seed: 19 });
  const env: Record<string, string> = {};
  for (const suffix of ['', '_2', '_3']) {
    for (const provider of ['deepseek', 'perplexity'] as const) {
      const secret = `${provider === 'deepseek' ? '' : 'pplx-'}${fakeKey()}`;
      simulator.addKey(secret, { provider, ...QUICK });
      env[`${provider.toUpperCase()}_API_KEY${suffix}`] = secret;
    }
  }
  home = await createHome({ simulator, env });
});
beforeEach(() => simulator.reset());
afterAll(async () => {
  home.remove();
  await simulator.close();
});

async function serve(env: Record<string, string>): Promise<Session> {
  const session = await connect({ ...home.env, ...env });
  onTestFinished(() => session.close());
  // Everything is loaded, and the pool knows how fast answers come.
  for (let call = 0; call < 3; call++) {
    await callTool(session.client, 'deepseek_generate_code', { prompt: 'Write a queue' });
    await callTool(session.client, 'perplexity_search', { query: 'history of tea' });
  }
  simulator.reset();
  return session;
}

/** Stops the process once its request is on its way, until the answer lies there and `ms` are over. */
async function sleepDuring(session: Session, ms: number): Promise<void> {
  await until('the request is sent', () => simulator.calls.length > 0);
  session.program.kill('SIGSTOP');
  const stoppedAt = performance.now();
  await until('the answers are there', () =>
    simulator.calls.every(({ endedAt }) => endedAt !== null),
  );
  const left = ms - (performance.now() - stoppedAt);
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, left)));
  session.program.kill('SIGCONT');
}

const TASKS = [
  ['deepseek_generate_code', { prompt: 'Write a stack' }],
  ['perplexity_search', { query: 'history of paper' }],
  ['perplexity_search', { query: 'history of ink', answer: 'fast' }],
] as const;

describe('an answer that came while the process slept', () => {
  it.each(TASKS)('is taken, not asked for again: %s %o', async (tool, args) => {
    const { KEYPOOL_IDLE_TIMEOUT_MS, KEYPOOL_CALL_TIMEOUT_MS } = {
      KEYPOOL_IDLE_TIMEOUT_MS: '1000',
      KEYPOOL_CALL_TIMEOUT_MS: '30000',
    };
    const session = await serve({ KEYPOOL_IDLE_TIMEOUT_MS, KEYPOOL_CALL_TIMEOUT_MS });
    const [result] = await Promise.all([
      callTool(session.client, tool, args),
      sleepDuring(session, 2_500),
    ]);
    expect(result.isError, textOf(result)).not.toBe(true);
    expect(simulator.calls).toHaveLength(1);
  });

  it.each(TASKS)('is taken though the time for the call is over: %s %o', async (tool, args) => {
    const session = await serve({
      KEYPOOL_IDLE_TIMEOUT_MS: '1500',
      KEYPOOL_CALL_TIMEOUT_MS: '1500',
    });
    const [result] = await Promise.all([
      callTool(session.client, tool, args),
      sleepDuring(session, 2_500),
    ]);
    expect(result.isError, textOf(result)).not.toBe(true);
    expect(simulator.calls).toHaveLength(1);
  });

  it('is taken by each of several calls, with keys at hand that could be asked again', async () => {
    const session = await serve({ KEYPOOL_IDLE_TIMEOUT_MS: '1000' });
    const [results] = await Promise.all([
      Promise.all(
        Array.from({ length: 6 }, () =>
          callTool(session.client, 'deepseek_generate_code', { prompt: 'Write a list' }),
        ),
      ),
      until('all are sent', () => simulator.calls.length === 6).then(() =>
        sleepDuring(session, 4_000),
      ),
    ]);
    for (const result of results) expect(result.isError, textOf(result)).not.toBe(true);
    expect(simulator.calls).toHaveLength(6);
  });
});
