/**
 * From nothing to the first answer, as a new user goes, in a clone of this repository: what a person
 * types and reads, by a stated model, and beside it the seconds that the machine takes.
 *
 *   npm run bench:first-answer
 *
 * Ends with 1 when a way leads to no answer.
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { CallToolResultSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import * as z from 'zod/mini';
import { canarySecret } from '../lab/canary.ts';
import { typeAt } from '../lab/program/terminal.ts';
import { startSimulator } from '../src/simulator/simulator.ts';

/** The model of a person, who types everything by hand and reads every screen. */
const CHARACTERS_PER_SECOND = 5;
const SECONDS_PER_SCREEN = 5;
const SECONDS_PER_PASTE = 1;

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));
/** What a clone is typed as. */
const ADDRESS = 'https://github.com/OWNER/keypool-mcp';
const PROMPT = 'write fizzbuzz in Go';
const ENTRY = z.looseObject({ command: z.string(), args: z.array(z.string()) });
const CLIENT_FILE = z.looseObject({
  servers: z.optional(z.record(z.string(), ENTRY)),
  mcpServers: z.optional(z.record(z.string(), ENTRY)),
});

type Variables = Readonly<Record<string, string>>;

/** Seconds of the person and of the machine. */
const spent = { person: 0, machine: 0 };

function reads(screens: number): void {
  spent.person += screens * SECONDS_PER_SCREEN;
}

function types(line: string): void {
  spent.person += (line.length + 1) / CHARACTERS_PER_SECOND;
}

async function timed<T>(work: Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const result = await work;
  spent.machine += (performance.now() - startedAt) / 1000;
  return result;
}

/** One line in a shell. @throws Error when it fails */
async function shell(line: string, cwd: string, env: Variables): Promise<void> {
  const child = spawn('sh', ['-c', line], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString('utf8');
  });
  const code = await timed(new Promise((resolve) => child.on('close', resolve)));
  if (code !== 0) throw new Error(`${line} ended with ${code}: ${errors}`);
}

/** `init` on a terminal: one screen with its two questions, a key for the first, none for the second. */
async function initAndPaste(checkout: string, env: Variables, key: string): Promise<void> {
  types('node dist/cli.js init');
  reads(1);
  spent.person += SECONDS_PER_PASTE;
  types('');
  types('');
  const program = join(checkout, 'dist/cli.js');
  const typed = typeAt('init', env, [`${key}\r`, '\r'], /not shown/, program);
  const { code, output } = await timed(typed);
  if (code !== 0) throw new Error(`init ended with ${code}: ${output}`);
}

/** The person's browser: the key is pasted into the page that the client led to. */
async function putIn(url: string, key: string): Promise<void> {
  const { status } = await fetch(url, {
    method: 'POST',
    headers: { origin: new URL(url).origin, 'sec-fetch-site': 'same-origin' },
    body: new URLSearchParams({ key }),
  });
  if (status !== 200) throw new Error(`the page answered with ${status}`);
}

/** Starts what stands in the client's file, and asks. */
async function ask(path: string, cwd: string, env: Variables, key: string | null): Promise<void> {
  const { servers, mcpServers } = CLIENT_FILE.parse(JSON.parse(readFileSync(path, 'utf8')));
  const entry = (servers ?? mcpServers)?.['keypool-mcp'];
  if (entry === undefined) throw new Error(`${path} names no server`);
  const { PATH = '' } = process.env;
  const transport = new StdioClientTransport({
    command: entry.command,
    args: entry.args,
    cwd,
    env: { PATH, ...env },
    stderr: 'ignore',
  });
  const capabilities = key === null ? {} : { elicitation: { url: {} } };
  const client = new Client({ name: 'bench', version: '1.0.0' }, { capabilities });
  if (key !== null) {
    client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
      // The client's own question, then the page.
      reads(2);
      spent.person += SECONDS_PER_PASTE;
      if ('url' in params) await putIn(params.url, key);
      return { action: 'accept' };
    });
  }
  types(PROMPT);
  await timed(client.connect(transport));
  const params = { name: 'deepseek_generate_code', arguments: { prompt: PROMPT } };
  const result = await timed(
    client.request({ method: 'tools/call', params }, CallToolResultSchema),
  );
  await client.close();
  if (result.isError === true) throw new Error(`no answer: ${JSON.stringify(result.content)}`);
}

interface Way {
  readonly title: string;
  readonly client: string;
  /** Below the user's home. */
  readonly file: string;
  readonly hasPage: boolean;
}

const WAYS: readonly Way[] = [
  {
    title: 'a client that leads to a page (URL elicitation)',
    client: 'vscode',
    file: '.config/Code/User/mcp.json',
    hasPage: true,
  },
  {
    title: 'a client that does not',
    client: 'claude-code',
    file: '.claude.json',
    hasPage: false,
  },
];

async function go(way: Way, upstream: Variables, key: string): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'keypool-first-answer-'));
  const user = { ...upstream, HOME: root };
  const checkout = join(root, 'keypool-mcp');
  Object.assign(spent, { person: 0, machine: 0 });
  try {
    // The section of the README.
    reads(1);
    types(`git clone ${ADDRESS} && cd keypool-mcp`);
    await shell(`git clone -q "${REPOSITORY}" "${checkout}"`, root, {});
    types('npm ci && npm run build');
    await shell('npm ci && npm run build', checkout, {});
    if (!way.hasPage) await initAndPaste(checkout, user, key);
    const install = `node dist/cli.js install ${way.client}`;
    types(install);
    await shell(install, checkout, user);
    reads(1);
    await ask(join(root, way.file), root, user, way.hasPage ? key : null);
  } finally {
    rmSync(root, { recursive: true, force: true, maxRetries: 10 });
  }
}

const simulator = await startSimulator();
const upstream = {
  DEEPSEEK_BASE_URL: simulator.deepseekUrl,
  PERPLEXITY_BASE_URL: simulator.perplexityUrl,
};
try {
  for (const way of WAYS) {
    const key = canarySecret('sk-fake');
    simulator.addKey(key, { provider: 'deepseek', ttftMs: 5, tokensPerSecond: 20_000 });
    await go(way, upstream, key);
    const [person, machine] = [spent.person.toFixed(0), spent.machine.toFixed(0)];
    console.log(
      `${way.title}: ${person} s of a person, ${machine} s of the machine, 0 files edited`,
    );
  }
} finally {
  await simulator.close();
}
