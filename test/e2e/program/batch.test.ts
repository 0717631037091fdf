import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Program, run } from '../../../lab/program/program.ts';
import { fakeKey } from '../../../lab/store.ts';
import {
  type KeyBehaviour,
  type Simulator,
  startSimulator,
} from '../../../src/simulator/simulator.ts';

const FAST: KeyBehaviour = { provider: 'deepseek', ttftMs: 5, tokensPerSecond: 20_000 };

let folder: string;
let simulator: Simulator;
let keys: string[];
let env: Record<string, string>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keypool-test-'));
  simulator = await startSimulator();
  keys = [fakeKey(), fakeKey()];
  for (const key of keys) simulator.addKey(key, FAST);
  env = {
    HOME: folder,
    KEYPOOL_HOME: join(folder, 'home'),
    DEEPSEEK_BASE_URL: simulator.deepseekUrl,
    DEEPSEEK_API_KEY: keys[0] ?? '',
    DEEPSEEK_API_KEY_2: keys[1] ?? '',
  };
});

afterEach(async () => {
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

const file = (name: string) => join(folder, name);

function writeTasks(count: number): void {
  const lines = Array.from({ length: count }, (_, id) =>
    JSON.stringify({ id: `task-${id}`, prompt: `write number ${id}`, language: 'python' }),
  );
  writeFileSync(file('tasks.jsonl'), `${lines.join('\n')}\n`);
}

function batch() {
  return run(['batch', 'tasks.jsonl', '--out', 'out.jsonl'], env, { cwd: folder });
}

// biome-ignore lint/suspicious/noExplicitAny: results are looked into freely
function results(): any[] {
  return readFileSync(file('out.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

function ids(): string[] {
  return results()
    .map(({ id }) => id)
    .sort();
}

function chats() {
  return simulator.calls.filter(({ path }) => path.endsWith('/chat/completions'));
}

const names = (count: number) => Array.from({ length: count }, (_, id) => `task-${id}`).sort();

describe('batch', () => {
  it('does every task once, over the whole pool, and sums up by key', async () => {
    writeTasks(60);
    const { code, stdout, stderr } = await batch();
    expect(stderr).toMatch(/60\/60 {2}100 %/);
    expect(stderr).not.toContain('Warning');
    expect(stdout).toMatch(/^60 done, 0 failed, 60 in all, /);
    expect(stdout).toMatch(/\nDEEPSEEK_API_KEY +\d+ +0 +\d+ +\d+\nDEEPSEEK_API_KEY_2 +\d+ +0 /);
    expect(code).toBe(0);
    expect(ids()).toEqual(names(60));
    expect(results()[0]).toMatchObject({ code: expect.any(String), finish_reason: 'stop' });
    expect(chats()).toHaveLength(60);
    for (const key of keys) expect(stdout + stderr).not.toContain(key);
  });

  it('sends nothing when everything is done, and only what is missing otherwise', async () => {
    writeTasks(8);
    await batch();
    const whole = readFileSync(file('out.jsonl'), 'utf8');
    simulator.reset();
    const again = await batch();
    expect(again).toMatchObject({ code: 0, stdout: '8 done before, nothing to do\n' });
    expect(chats()).toEqual([]);

    writeFileSync(file('out.jsonl'), whole.slice(0, -20));
    const third = await batch();
    expect(third.code).toBe(0);
    expect(third.stderr).toContain('torn');
    expect(chats()).toHaveLength(1);
    expect(ids()).toEqual(names(8));
  });

  it('goes on after a kill with every task done exactly once in the file', async () => {
    for (const key of keys) {
      simulator.setBehaviour(key, { ttftMs: 30, capacity: 3 });
    }
    writeTasks(60);
    const program = new Program({
      args: ['batch', file('tasks.jsonl'), '--out', file('out.jsonl')],
      env,
    });
    while (!existsSync(file('out.jsonl')) || readFileSync(file('out.jsonl')).length < 4_000) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    program.kill('SIGKILL');
    await program.exit;
    const { code, stdout } = await batch();
    expect(stdout).toMatch(/done before/);
    expect(code).toBe(0);
    expect(ids()).toEqual(names(60));
  });

  it('stops at Ctrl-C with 130, cancels what runs, and leaves whole lines', async () => {
    for (const key of keys) simulator.setBehaviour(key, { ttftMs: 30, capacity: 2 });
    writeTasks(200);
    const program = new Program({
      args: ['batch', file('tasks.jsonl'), '--out', file('out.jsonl')],
      env,
    });
    while (!existsSync(file('out.jsonl')) || readFileSync(file('out.jsonl')).length < 2_000) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    program.kill('SIGINT');
    expect(await program.exit).toEqual({ code: 130, signal: null });
    expect(program.stderr).toContain('goes on from here');
    expect(program.stdout).toMatch(/done, 0 failed, 200 in all/);
    expect(results().length).toBeGreaterThan(0);
    expect(results().length).toBeLessThan(200);
    expect(readFileSync(file('out.jsonl'), 'utf8').endsWith('\n')).toBe(true);
  });

  it('records a failure with its reason and tries it again the next time', async () => {
    simulator.setProviderFaults('deepseek', [{ fault: 'moderation', times: 1 }]);
    writeTasks(5);
    const first = await batch();
    expect(first.code).toBe(1);
    expect(first.stdout).toMatch(/^4 done, 1 failed, 5 in all/);
    const failed = results().filter(({ error }) => error !== undefined);
    expect(failed).toHaveLength(1);
    expect(failed[0].error).toMatchObject({ code: 'moderation', status: 400 });
    expect(failed[0].error.message).not.toBe('');

    simulator.reset();
    const second = await batch();
    expect(second.code).toBe(0);
    expect(chats()).toHaveLength(1);
    expect(ids()).toEqual(names(5));
    expect(results().every(({ error }) => error === undefined)).toBe(true);
  });

  it('keeps the lines it has when no key is left, and says what to do', async () => {
    for (const key of keys) {
      simulator.setBehaviour(key, { faults: [{ fault: 'no_balance', times: 1_000 }] });
    }
    writeTasks(30);
    const { code, stderr } = await batch();
    expect(code).toBe(1);
    expect(stderr).toMatch(/keypool-mcp: error: /);
    expect(stderr).toMatch(/keypool-mcp: hint: /);
    expect(results()).toEqual([]);
  });

  it.each([
    ['{"id": "a", "prompt": "x"}\n{"id": "a", "prompt": "y"}\n', /line 2: has the id of line 1/],
    ['{"id": "a", "prompt": "x"}\n{"prompt": "y"}\n', /line 2: has no id/],
    ['{"id": "a", "prompt": "x"}\nnot json\n', /line 2: is not a JSON object/],
    ['{"id": "a", "prompt": "x", "colour": 1}\n', /line 1: unknown argument colour/],
  ])('refuses the tasks %j before anything is sent', async (text, expected) => {
    writeFileSync(file('tasks.jsonl'), text);
    const { code, stderr } = await batch();
    expect(code).toBe(1);
    expect(stderr).toMatch(expected);
    expect(simulator.calls).toEqual([]);
    expect(existsSync(file('out.jsonl'))).toBe(false);
  });

  it('refuses to run beside another batch on the same results, which would pay twice', async () => {
    for (const key of keys) simulator.setBehaviour(key, { ttftMs: 200, capacity: 2 });
    writeTasks(12);
    const program = new Program({
      args: ['batch', file('tasks.jsonl'), '--out', file('out.jsonl')],
      env,
    });
    while (chats().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const second = await batch();
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/out\.jsonl is locked by process \d+/);
    expect(await program.exit).toEqual({ code: 0, signal: null });
    expect(chats().filter(({ status }) => status === 200)).toHaveLength(12);
    expect(existsSync(file('out.jsonl.lock'))).toBe(false);
  });

  it('never takes the tasks for the results, nor another file for either', async () => {
    writeTasks(1);
    const same = await run(['batch', 'tasks.jsonl', '--out', './tasks.jsonl'], env, {
      cwd: folder,
    });
    expect(same.code).toBe(2);
    const none = await run(['batch', 'none.jsonl', '--out', 'out.jsonl'], env, { cwd: folder });
    expect(none.code).toBe(1);
    expect((await run(['batch', 'tasks.jsonl'], env, { cwd: folder })).code).toBe(2);
    writeFileSync(file('out.jsonl'), '# mine\n# own\n');
    expect((await batch()).code).toBe(1);
    expect(readFileSync(file('out.jsonl'), 'utf8')).toBe('# mine\n# own\n');
  });

  it('ends with 3 when there is neither a store nor a key', async () => {
    writeTasks(1);
    const { DEEPSEEK_API_KEY: _, DEEPSEEK_API_KEY_2: __, ...keyless } = env;
    const { code } = await run(['batch', file('tasks.jsonl'), '--out', file('out.jsonl')], keyless);
    expect(code).toBe(3);
  });
});
