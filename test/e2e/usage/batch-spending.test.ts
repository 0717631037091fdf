import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canarySecret } from '../../../lab/canary.ts';
import { run } from '../../../lab/program/program.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

const DATED = fileURLToPath(new URL('../../../lab/usage/dated.mjs', import.meta.url));

let simulator: Simulator;
let home: Home;

beforeEach(async () => {
  simulator = await startSimulator({ seed: 7 });
  const secret = canarySecret();
  simulator.addKey(secret, { provider: 'deepseek', ttftMs: 1, tokensPerSecond: 50_000, jitter: 0 });
  home = await createHome({
    simulator,
    keys: [{ name: 'DEEPSEEK_API_KEY', secret, account: 'main' }],
  });
});
afterEach(async () => {
  home.remove();
  await simulator.close();
});

const TASKS = 40;

function files() {
  const [tasks, out] = [join(home.tmp, 'tasks.jsonl'), join(home.tmp, 'out.jsonl')];
  const lines = Array.from({ length: TASKS }, (_, id) =>
    JSON.stringify({ id, prompt: `Task ${id}`, max_tokens: 300 }),
  );
  writeFileSync(tasks, `${lines.join('\n')}\n`);
  return { tasks, out };
}

const results = (out: string): number => readFileSync(out, 'utf8').trim().split('\n').length;

describe('batch', () => {
  it('stops when its budget is spent, keeps what is done, and goes on from there', async () => {
    const { tasks, out } = files();
    const small = await run(['batch', tasks, '--out', out, '--budget', '0.002'], home.env);
    expect(small.code).toBe(1);
    expect(small.stderr).toContain('is spent');
    expect(small.stderr).toContain('with a larger --budget');
    const before = results(out);
    expect(before).toBeGreaterThan(3);
    expect(before).toBeLessThan(TASKS);
    const spent = simulator.bill().reduce((sum, { amount }) => sum + amount, 0);
    expect(spent).toBeGreaterThanOrEqual(0.002);
    expect(spent).toBeLessThan(0.0026);
    const rest = await run(
      ['batch', tasks, '--out', out, '--budget', '1', '--not-before', '2026-01-01'],
      home.env,
    );
    expect(rest.code).toBe(0);
    const billed = simulator.bill().reduce((sum, { amount }) => sum + amount, 0);
    expect(small.stdout).toContain(`\ncost $${spent.toFixed(4)} by estimate\n`);
    expect(rest.stdout).toContain(`\ncost $${(billed - spent).toFixed(4)} by estimate\n`);
    expect(results(out)).toBe(TASKS);
    expect(simulator.bill()).toHaveLength(TASKS);
  });

  it('says that it does not know what a model without a price cost', async () => {
    const { tasks, out } = files();
    const table = { 'deepseek/other': { input_cost_per_token: 1, output_cost_per_token: 1 } };
    writeFileSync(join(home.folder, 'prices.json'), JSON.stringify(table));
    const { code, stdout } = await run(['batch', tasks, '--out', out], home.env);
    expect(code).toBe(0);
    expect(stdout).toContain('what it cost is not known: no price of deepseek-flash');
    expect(stdout).not.toContain('$');
  });

  it.each([
    ['--budget', '0'],
    ['--budget', '5/day'],
    ['--not-before', 'tomorrow'],
  ])('does not take %s %s', async (flag, value) => {
    const { tasks, out } = files();
    const { code } = await run(['batch', tasks, '--out', out, flag, value], home.env);
    expect(code).toBe(2);
    expect(simulator.calls).toHaveLength(0);
  });

  it('says until when it waits for cheaper hours, and how much cheaper they are', async () => {
    const { tasks, out } = files();
    // A Friday, some seconds before the end of the first peak.
    const clock = {
      NODE_OPTIONS: `--import ${DATED}`,
      LAB_NOW: '2026-11-27T03:59:55Z',
      TZ: 'Europe/Berlin',
    };
    const { code, stderr } = await run(['batch', tasks, '--out', out, '--off-peak'], {
      ...home.env,
      ...clock,
    });
    expect(code).toBe(0);
    expect(stderr).toContain(
      'prices are at their peak: nothing is sent until 2026-11-27 05:00 (04:00 UTC), then it goes on by itself, 50 % cheaper',
    );
    expect(results(out)).toBe(TASKS);
  });
});
