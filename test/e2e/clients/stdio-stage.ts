/** A home whose two keys the simulator knows, and the program on it, which ends with its test. */

import { afterAll, beforeAll, beforeEach, expect, onTestFinished } from 'vitest';
import { canarySecret } from '../../../lab/canary.ts';
import { RawClient } from '../../../lab/program/test-client.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

export const DEEPSEEK = canarySecret();
const PERPLEXITY = canarySecret('pplx-fake');

export let simulator: Simulator;
export let home: Home;

/** A simulator and a home while the tests of the file run that calls it. */
export function stdioStage(): void {
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
}

export function open(env: Readonly<Record<string, string>> = {}): RawClient {
  const client = new RawClient({ ...home.env, ...env });
  onTestFinished(async () => {
    client.program.kill('SIGKILL');
    await client.program.exit;
  });
  return client;
}

export function expectJsonLines(stderr: string): void {
  for (const line of stderr.split('\n').filter((each) => each !== '')) {
    expect(() => JSON.parse(line)).not.toThrow();
  }
}
