/** Homes as containers, services and strangers have them: none, read-only, somebody else's. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { childEnvironment, PROGRAM, type Variables } from '../../../lab/program/program.ts';
import { temporaryFolder } from '../../../lab/store.ts';

const isRoot = process.getuid?.() === 0;
/** A number that no user has, as OpenShift gives to a container. */
const NAMELESS = 54_321;
const canDropRoot = isRoot && spawnSync('setpriv', ['--version']).status === 0;
/** Longer than anything here takes, shorter than what would never end. */
const PATIENCE_MS = 20_000;

const CALL = [
  {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'test', version: '1' },
    },
  },
  { jsonrpc: '2.0', method: 'notifications/initialized' },
  {
    jsonrpc: '2.0',
    id: 2,
    method: 'tools/call',
    params: { name: 'perplexity_search', arguments: { query: 'x' } },
  },
];

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function commandOf(uid: number | null, args: readonly string[]): readonly [string, string[]] {
  const drop =
    uid === null ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
  const [command = '', ...rest] = [...drop, process.execPath, PROGRAM, ...args];
  return [command, rest];
}

function runAs(uid: number | null, args: readonly string[], env: Variables): Ended {
  const [command, rest] = commandOf(uid, args);
  const result = spawnSync(command, rest, {
    env: childEnvironment(env),
    cwd: '/',
    input: '',
    encoding: 'utf8',
    timeout: PATIENCE_MS,
    killSignal: 'SIGKILL',
  });
  return { code: result.status, stdout: result.stdout, stderr: result.stderr };
}

interface Served extends Ended {
  readonly call: { readonly isError?: boolean; readonly content?: unknown } | undefined;
}

/** One call over stdio; the client leaves when it has its answer. */
async function serveOnce(
  uid: number | null,
  args: readonly string[],
  env: Variables,
): Promise<Served> {
  const [command, rest] = commandOf(uid, ['serve', ...args]);
  const child = spawn(command, rest, { env: childEnvironment(env), cwd: '/', stdio: 'pipe' });
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
    if (stdout.trimEnd().split('\n').length >= 2 && stdout.endsWith('\n')) child.stdin.end();
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  child.stdin.write(CALL.map((message) => `${JSON.stringify(message)}\n`).join(''));
  const [code] = await once(child, 'close');
  clearTimeout(timer);
  const answers: Array<{ id?: number; result?: Served['call'] }> = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  return { code, stdout, stderr, call: answers.find(({ id }) => id === 2)?.result };
}

function expectTwoLines(ended: Ended, code: number): void {
  expect(ended.stderr).toMatch(/^keypool-mcp: error: .+\nkeypool-mcp: hint: .+\n$/);
  expect(ended.code).toBe(code);
  expect(ended.stdout).toBe('');
}

function expectServed(served: Served): void {
  expect(served.call?.isError).toBe(true);
  expect(served.code).toBe(0);
  for (const line of served.stderr.trimEnd().split('\n'))
    expect(JSON.parse(line)).toBeTypeOf('object');
}

describe.skipIf(!canDropRoot)('a user without a name and without HOME', () => {
  it('gets a server that says that there is no store', async () => {
    const served = await serveOnce(NAMELESS, [], {});
    expectServed(served);
    expect(JSON.stringify(served.call)).toContain('no home folder');
    expect(served.stderr).toContain('no home folder');
  });

  it('gets two lines from every command', () => {
    expectTwoLines(runAs(NAMELESS, ['init'], {}), 2);
    expectTwoLines(runAs(NAMELESS, ['keys', 'list'], {}), 3);
    expectTwoLines(runAs(NAMELESS, ['install', 'claude-code'], {}), 2);
    expectTwoLines(runAs(NAMELESS, ['clients', 'add', 'bob'], {}), 1);
    expectTwoLines(runAs(NAMELESS, ['dashboard', '--no-open', '--port', '0'], {}), 2);
    expectTwoLines(runAs(NAMELESS, ['serve', '--http', '--port', '0'], {}), 2);
  });

  it('gets a doctor that names it', () => {
    const { code, stdout, stderr } = runAs(NAMELESS, ['doctor'], {});
    expect([code, stderr]).toEqual([1, '']);
    expect(stdout).toContain('this user has no home folder');
    expect(stdout).not.toContain('/dev/null');
  });

  it('works with a home that is named', () => {
    const home = temporaryFolder();
    chownSync(home, NAMELESS, NAMELESS);
    expect(runAs(NAMELESS, ['init'], { KEYPOOL_HOME: home }).code).toBe(0);
    expect(runAs(NAMELESS, ['keys', 'list'], { KEYPOOL_HOME: home }).code).toBe(0);
  });

  it('is not led into the working directory by a HOME that is empty or relative', () => {
    for (const HOME of ['', '.', 'tmp']) {
      expectTwoLines(runAs(NAMELESS, ['keys', 'list'], { HOME }), 3);
    }
  });
});

describe.skipIf(!canDropRoot)("somebody else's HOME", () => {
  it('is named as what it is: no chmod of a file that is not there', async () => {
    const home = temporaryFolder();
    const env = { HOME: home };
    const served = await serveOnce(NAMELESS, [], env);
    expectServed(served);
    expect(served.stderr).toContain('cannot be entered');
    const listed = runAs(NAMELESS, ['keys', 'list'], env);
    expectTwoLines(listed, 3);
    expect(listed.stderr).not.toContain('chmod');
    expectTwoLines(runAs(NAMELESS, ['init'], env), 2);
  });

  it('is refused as the place of the settings', () => {
    const home = temporaryFolder();
    chmodSync(home, 0o755);
    const folder = join(home, '.config', 'keypool-mcp');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, '.env'), 'DEEPSEEK_MODEL=theirs\n');
    chownSync(join(folder, '.env'), NAMELESS + 1, NAMELESS + 1);
    const listed = runAs(NAMELESS, ['keys', 'list'], { HOME: home });
    expectTwoLines(listed, 2);
    expect(listed.stderr).toContain('belongs to another user');
  });
});

describe('a home that cannot be', () => {
  it.each(['/proc/nope', '/dev/null/x', '/proc/self/mem/x'])(
    'serves without a store and ends commands with two lines: %s',
    async (home) => {
      if (process.platform !== 'linux') return;
      const served = await serveOnce(null, ['--home', home], { HOME: '/' });
      expectServed(served);
      expect(JSON.stringify(served.call)).toContain('There is no key store');
      expectTwoLines(runAs(null, ['init', '--home', home], { HOME: '/' }), 2);
      expectTwoLines(runAs(null, ['keys', 'list', '--home', home], { HOME: '/' }), 3);
      const spent = runAs(null, ['usage', '--home', home], { HOME: '/' });
      expect([spent.code, spent.stderr]).toEqual([0, '']);
      expectTwoLines(runAs(null, ['serve', '--http', '--port', '0', '--home', home], {}), 2);
    },
    60_000,
  );

  it.skipIf(!canDropRoot)('ends `serve --http` without a token with two lines: read-only', () => {
    const home = temporaryFolder();
    chmodSync(home, 0o555);
    const ended = runAs(NAMELESS, ['serve', '--http', '--port', '0'], { KEYPOOL_HOME: home });
    expectTwoLines(ended, 2);
    expect(ended.stderr).toContain('KEYPOOL_HTTP_TOKEN');
  });
});
