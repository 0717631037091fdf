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
});
