import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runUnlabelled, type UnlabelledCase } from '../../../lab/pool/unlabelled.ts';
import { run } from '../../../lab/program/program.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

let simulator: Simulator;

beforeEach(async () => {
  simulator = await startSimulator({ seed: 11 });
});
afterEach(() => simulator.close());

const ONE_ACCOUNT: UnlabelledCase = {
  keys: [0, 0, 0, 0],
  slots: [5],
  answerMs: 400,
  refusalMs: 60,
  wording: 'balance',
  callers: 12,
  callsEach: 5,
};

const doctor = async (env: Readonly<Record<string, string>>): Promise<string> =>
  (await run(['doctor'], env)).stdout;

describe('several keys of one account, and nobody said so', () => {
  it('finds the account, names it in status and doctor, and is hardly refused', async () => {
    const seen = await runUnlabelled(simulator, ONE_ACCOUNT, doctor);
    expect(seen.failed).toBe(0);
    expect(seen.refusalsPerCall).toBeLessThan(1);
    expect(seen.laterRefusalsPerCall).toBeLessThan(0.5);
    expect(seen.found.map((names) => [...names].sort())).toEqual([
      ['DEEPSEEK_API_KEY', 'DEEPSEEK_API_KEY_2', 'DEEPSEEK_API_KEY_3', 'DEEPSEEK_API_KEY_4'],
    ]);
    expect(seen.doctor).toMatch(/DEEPSEEK_API_KEY_4 share one account/);
    expect(seen.doctor).toContain('keypool-mcp keys add DEEPSEEK_API_KEY_2 --account');
  });

  it('finds an account of eight slots by refusals that name numbers and no balance', async () => {
    const eight = { slots: [8], callers: 16, wording: 'numbers' } as const;
    const seen = await runUnlabelled(simulator, { ...ONE_ACCOUNT, ...eight });
    expect(seen.failed).toBe(0);
    expect(seen.refusalsPerCall).toBeLessThan(0.5);
    expect(seen.found.map((names) => names.length)).toEqual([4]);
  });

  it('tells two accounts of two keys apart where the refusals name numbers', async () => {
    const two = { keys: [0, 0, 1, 1], slots: [5, 5], callers: 20, callsEach: 10, answerMs: 100 };
    const seen = await runUnlabelled(simulator, { ...ONE_ACCOUNT, ...two });
    expect(seen.failed).toBe(0);
    expect(seen.refusalsPerCall).toBeLessThan(0.5);
    for (const names of seen.found) {
      const accounts = names.map((name) => (/_[34]$/.test(name) ? 1 : 0));
      expect(new Set(accounts).size).toBe(1);
    }
  });

  it('tells two accounts of two keys apart, with a bare refusal that comes at once', async () => {
    const two = { keys: [0, 0, 1, 1], slots: [5, 5], callers: 14, callsEach: 7 };
    const seen = await runUnlabelled(simulator, {
      ...ONE_ACCOUNT,
      ...two,
      refusalMs: 0,
      wording: 'bare',
    });
    expect(seen.failed).toBe(0);
    expect(seen.laterRefusalsPerCall).toBeLessThan(0.5);
    for (const names of seen.found) {
      const accounts = names.map((name) => (/_[34]$/.test(name) ? 1 : 0));
      expect(new Set(accounts).size).toBe(1);
    }
  });

  it('finds no account where one key is alone, whose refusals name as many calls as its limit', async () => {
    const alone = { keys: [0], slots: [3], callers: 6, callsEach: 6, answerMs: 200 };
    const seen = await runUnlabelled(simulator, {
      ...ONE_ACCOUNT,
      ...alone,
      wording: 'equal',
      refusalMs: 0,
    });
    expect(seen.failed).toBe(0);
    expect(seen.refusalsPerCall).toBeLessThan(0.5);
    expect(seen.found).toEqual([]);
  });
});
