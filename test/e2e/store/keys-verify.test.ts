import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../../lab/program/program.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { fakeKey } from '../../../lab/store.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

const GOOD = fakeKey();
const POOR = fakeKey();
const REJECTED = fakeKey();
const SEARCH = `pplx-test-${fakeKey()}`;

let simulator: Simulator;
let home: Home;
beforeAll(async () => {
  simulator = await startSimulator({ seed: 11 });
  simulator.addKey(GOOD, { provider: 'deepseek', balance: 4.2 });
  simulator.addKey(POOR, { provider: 'deepseek', balance: 0 });
  simulator.addKey(SEARCH, { provider: 'perplexity' });
  home = await createHome({
    simulator,
    keys: [
      { name: 'DEEPSEEK_API_KEY', secret: GOOD },
      { name: 'DEEPSEEK_API_KEY_2', secret: POOR },
      { name: 'DEEPSEEK_API_KEY_3', secret: REJECTED },
      { name: 'PERPLEXITY_API_KEY', secret: SEARCH },
      { name: 'BYBIT_SECRET', secret: fakeKey() },
    ],
  });
});
afterAll(async () => {
  home.remove();
  await simulator.close();
});

const verify = (...args: string[]) => run(['keys', 'verify', ...args], home.env);

describe('keys verify', () => {
  it('asks about every key of the pool and fails when one is bad', async () => {
    const { code, stdout } = await verify('--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject([
      { name: 'DEEPSEEK_API_KEY', verdict: 'ok', detail: expect.stringContaining('4.2') },
      { name: 'DEEPSEEK_API_KEY_2', verdict: 'no_credit' },
      { name: 'DEEPSEEK_API_KEY_3', verdict: 'invalid_key', key_id: REJECTED.slice(-6) },
      { name: 'PERPLEXITY_API_KEY', verdict: 'ok', provider: 'perplexity' },
    ]);
  });

  it('asks about one, and is content when it is good', async () => {
    const { code, stdout } = await verify('DEEPSEEK_API_KEY');
    expect(code).toBe(0);
    expect(stdout.split('\n')).toHaveLength(3);
    expect(stdout).toContain('balance');
    expect(stdout).not.toContain(GOOD.slice(8, 20));
  });

  it.each(['DEEPSEEK_API_KEY_9', 'BYBIT_SECRET'])(
    'fails for %s, which it cannot ask about',
    async (name) => {
      const { code, stdout, stderr } = await verify(name);
      expect(code).toBe(1);
      expect(stdout).toBe('');
      expect(stderr).toMatch(/^keypool-mcp: error: .+\nkeypool-mcp: hint: .+\n$/);
    },
  );

  it('checks a key that only the environment gives', async () => {
    const env = { ...home.env, PERPLEXITY_API_KEY_2: 'pplx-test-unknown-0123456789' };
    const { code, stdout } = await run(['keys', 'verify', 'PERPLEXITY_API_KEY_2', '--json'], env);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject([{ source: 'environment', verdict: 'invalid_key' }]);
  });
});
