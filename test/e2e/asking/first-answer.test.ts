/**
 * From a checkout that was built to the first answer, as a new user goes: with what is typed, and
 * no file edited. The client starts what `install` wrote into its own file.
 */

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as z from 'zod/mini';
import { connectEliciting, putIn } from '../../../lab/program/eliciting.ts';
import { run } from '../../../lab/program/program.ts';
import { hasTerminal, typeAt } from '../../../lab/program/terminal.ts';
import { callTool, textOf } from '../../../lab/program/test-client.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { fakeKey } from '../../../lab/store.ts';
import { PATIENT } from '../../../lab/until.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

const ENTRY = z.looseObject({ command: z.string(), args: z.array(z.string()) });
const FILE = z.looseObject({
  servers: z.optional(z.record(z.string(), ENTRY)),
  mcpServers: z.optional(z.record(z.string(), ENTRY)),
});

let simulator: Simulator;
let home: Home;
let user: string;
/** What a person has in the shell; the base URLs stand for the providers. */
let shell: Record<string, string>;

beforeEach(async () => {
  simulator = await startSimulator();
  home = await createHome({ simulator });
  user = dirname(home.folder);
  shell = {
    HOME: user,
    DEEPSEEK_BASE_URL: simulator.deepseekUrl,
    PERPLEXITY_BASE_URL: simulator.perplexityUrl,
  };
});

afterEach(async () => {
  await simulator.close();
  home.remove();
});

async function type(line: string, input = ''): Promise<void> {
  const { code, stderr } = await run(line.split(' '), shell, { input });
  expect(code, stderr).toBe(0);
}

/** What the client's file makes the client start: the arguments behind node and the program. */
function startedBy(path: string): string[] {
  const { servers, mcpServers } = FILE.parse(JSON.parse(readFileSync(path, 'utf8')));
  const entry = (servers ?? mcpServers)?.['keypool-mcp'];
  expect(entry?.command).toBe(process.execPath);
  return entry?.args.slice(1) ?? [];
}

describe('the first answer', () => {
  it('takes one command where the client leads to a page', async () => {
    const key = fakeKey();
    simulator.addKey(key, { provider: 'deepseek', ttftMs: 5 });
    await type('install vscode');
    const args = startedBy(join(user, '.config', 'Code', 'User', 'mcp.json'));
    const { client } = await connectEliciting(shell, {
      era: 'legacy',
      args,
      answer: async ({ url }) => {
        expect((await putIn(url, key)).status).toBe(200);
        return 'accept';
      },
    });
    const answer = await callTool(client, 'deepseek_generate_code', { prompt: 'add' });
    expect(answer.isError, textOf(answer)).toBeUndefined();
  });

  it('takes three where it does not, and the sentence of the first call has the other two', async () => {
    const key = fakeKey();
    simulator.addKey(key, { provider: 'deepseek', ttftMs: 5 });
    await type('install claude-code');
    const args = startedBy(join(user, '.claude.json'));
    const { client, shown } = await connectEliciting(shell, {
      era: 'legacy',
      args,
      elicitation: { form: {} },
      answer: () => Promise.reject(new Error('was asked')),
    });
    const refused = textOf(await callTool(client, 'deepseek_generate_code', { prompt: 'add' }));
    const lines = [...refused.matchAll(/keypool-mcp ((?:init|keys add)[^,;.]*)/g)];
    expect(lines.map(([, line]) => line)).toEqual(['init', 'keys add DEEPSEEK_API_KEY']);
    for (const [, line = ''] of lines) await type(line, line === 'init' ? '' : key);
    const answered = async (): Promise<void> => {
      const answer = await callTool(client, 'deepseek_generate_code', { prompt: 'add' });
      expect(answer.isError, textOf(answer)).toBeUndefined();
    };
    await vi.waitFor(answered, { ...PATIENT, interval: 200 });
    expect(shown).toEqual([]);
  });

  it('takes two commands on a terminal, where init asks for the key', async ({ skip }) => {
    if (!hasTerminal) return skip('util-linux script is not installed');
    const key = fakeKey();
    simulator.addKey(key, { provider: 'deepseek', ttftMs: 5 });
    const { code, output } = await typeAt('init', shell, [`${key}\r`, '\r']);
    expect(code, output).toBe(0);
    expect(output).toContain(`Added DEEPSEEK_API_KEY (sk-…${key.slice(-6)})`);
    expect(output).toMatch(/Next: keypool-mcp install/);
    expect(output).not.toContain(key);
    await type('install claude-code');
    const { client } = await connectEliciting(shell, {
      era: 'legacy',
      args: startedBy(join(user, '.claude.json')),
      elicitation: { form: {} },
      answer: () => Promise.reject(new Error('was asked')),
    });
    const answer = await callTool(client, 'deepseek_generate_code', { prompt: 'add' });
    expect(answer.isError, textOf(answer)).toBeUndefined();
  });
});

describe('init on a terminal', () => {
  const names = async () => (await run(['keys', 'list'], shell)).stdout;

  it('asks again after a mistaken paste, and takes several keys at once', async ({ skip }) => {
    if (!hasTerminal) return skip('util-linux script is not installed');
    const [first, second] = [fakeKey(), fakeKey()];
    const pasted = [
      '$DEEPSEEK_API_KEY\r',
      `${first}, ${second}\r`,
      `"${fakeKey().replace('sk-', 'pplx-')}"\r`,
    ];
    const { code, output } = await typeAt('init', shell, pasted);
    expect(code, output).toBe(0);
    expect(output.match(/That was not taken: .*\./g)).toHaveLength(1);
    expect(output).not.toContain(first.slice(3, 11));
    const listed = await names();
    for (const name of ['DEEPSEEK_API_KEY ', 'DEEPSEEK_API_KEY_2 ', 'PERPLEXITY_API_KEY ']) {
      expect(listed).toContain(name);
    }
  });

  it('goes on without a key after Enter, and asks nothing once there is one', async ({ skip }) => {
    if (!hasTerminal) return skip('util-linux script is not installed');
    const skipped = await typeAt('init', shell, ['\r', '\u0004']);
    expect(skipped.code).toBe(0);
    expect(skipped.output).toMatch(/Next: keypool-mcp keys add DEEPSEEK_API_KEY/);
    await type('keys add BYBIT_SECRET', fakeKey());
    expect((await typeAt('init', shell, [])).output).not.toMatch(/not shown/);
  });

  it('asks only for what the environment lacks', async ({ skip }) => {
    if (!hasTerminal) return skip('util-linux script is not installed');
    const env = { ...shell, DEEPSEEK_API_KEY: fakeKey() };
    const { code, output } = await typeAt('init', env, ['\r']);
    expect(code).toBe(0);
    expect(output.match(/not shown/g)).toHaveLength(1);
    expect(output).toMatch(/Perplexity key/);
  });

  it('leaves a whole home behind when the question is left with Ctrl-C', async ({ skip }) => {
    if (!hasTerminal) return skip('util-linux script is not installed');
    expect((await typeAt('init', shell, 'abc\u0003')).code).toBe(130);
    await type('keys add DEEPSEEK_API_KEY', fakeKey());
    expect(await names()).toContain('DEEPSEEK_API_KEY');
  });
});
