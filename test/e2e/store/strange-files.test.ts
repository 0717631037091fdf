/** Pipes, folders and devices where a file of ours should be: refused in one line, never waited for. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  childEnvironment,
  PROGRAM,
  Program,
  type Variables,
} from '../../../lab/program/program.ts';
import { RawClient } from '../../../lab/program/test-client.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { fakeKey } from '../../../lab/store.ts';

/** Longer than the patience for a lock, shorter than what would never end. */
const PATIENCE_MS = 25_000;

let home: Home;
beforeEach(async () => {
  home = await createHome({ keys: [{ name: 'DEEPSEEK_API_KEY', secret: fakeKey() }] });
});
afterEach(() => home.remove());

const at = (name: string): string => join(home.folder, name);

const STRANGE: ReadonlyArray<readonly [string, (path: string) => void]> = [
  ['a pipe', (path) => void spawnSync('mkfifo', [path])],
  ['a folder', (path) => mkdirSync(path)],
  ['a link to a device', (path) => symlinkSync('/dev/zero', path)],
];

function put(path: string, make: (path: string) => void): void {
  rmSync(path, { recursive: true, force: true });
  make(path);
}

function runProgram(args: readonly string[], env: Variables = {}, input = '') {
  const { status, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
    env: childEnvironment({ ...home.env, ...env }),
    input,
    encoding: 'utf8',
    timeout: PATIENCE_MS,
    killSignal: 'SIGKILL',
  });
  return { code: status, stderr };
}

function expectTwoLines(args: readonly string[], code: number, env: Variables = {}, input = '') {
  const ended = runProgram(args, env, input);
  expect(ended.stderr).toMatch(/^keypool-mcp: error: .+\nkeypool-mcp: hint: .+\n$/);
  expect([args, ended.code]).toEqual([args, code]);
}

describe.skipIf(process.platform === 'win32')('where a file should be', () => {
  it.each(STRANGE)('as the settings: %s', (_what, make) => {
    put(at('.env'), make);
    for (const args of [
      ['keys', 'list'],
      ['serve'],
      ['serve', '--http', '--port', '0'],
      ['init'],
    ]) {
      expectTwoLines(args, 2);
    }
    expect(runProgram(['doctor']).code).toBe(1);
  });

  it.each(STRANGE)('as the key store: %s', (_what, make) => {
    put(at('store.json'), make);
    expectTwoLines(['keys', 'list'], 3);
    expectTwoLines(['init'], 3);
    expectTwoLines(['keys', 'add', 'A_KEY'], 3, {}, fakeKey());
    expect(runProgram(['doctor']).code).toBe(1);
  });

  it.each(STRANGE)('as the master key file: %s', (_what, make) => {
    put(at('master'), make);
    put(at('.env'), (path) => writeFileSync(path, ''));
    expectTwoLines(['keys', 'list'], 3, { MASTER_ENCRYPTION_KEY_FILE: at('master') });
  });

  it.each(STRANGE)('as the token file: %s', (_what, make) => {
    put(at('http-token'), make);
    expectTwoLines(['serve', '--http', '--port', '0'], 2);
    const named = { KEYPOOL_HTTP_TOKEN_FILE: at('http-token') };
    expectTwoLines(['serve', '--http', '--port', '0'], 2, named);
  });

  it.each(STRANGE)('as the file to import: %s', (_what, make) => {
    put(at('keys.txt'), make);
    expectTwoLines(['keys', 'import', at('keys.txt')], 2);
  });

  it('but a pipe that the shell makes is imported', () => {
    const command = `"${process.execPath}" "${PROGRAM}" keys import <(echo "A_KEY=${fakeKey()}")`;
    const { status } = spawnSync('bash', ['-c', command], {
      env: childEnvironment(home.env),
      timeout: PATIENCE_MS,
    });
    expect(status).toBe(0);
    expect(runProgram(['keys', 'show', 'A_KEY']).code).toBe(0);
  });

  it.each(STRANGE)('as the lock: %s', (_what, make) => {
    put(at('store.json.lock'), make);
    expectTwoLines(['keys', 'add', 'A_KEY'], 3, {}, fakeKey());
    // Nobody has to write to be able to read.
    expect(runProgram(['keys', 'list']).code).toBe(0);
  });

  it.each(STRANGE)('as the memory of v2 stores: %s', (_what, make) => {
    put(at('v2-stores.json'), make);
    expect(runProgram(['keys', 'list']).code).toBe(0);
  });

  it.each(STRANGE)('as the ledger: %s', async (_what, make) => {
    const month = new Date().toISOString().slice(0, 7);
    mkdirSync(at('usage'), { recursive: true, mode: 0o700 });
    put(at(`usage/ledger-${month}.jsonl`), make);
    expect(runProgram(['budget', 'set', '5/day']).code).toBe(0);
    expectTwoLines(['usage'], 1);
    const client = new RawClient({ ...home.env, KEYPOOL_LOG_LEVEL: 'error' });
    await client.initialize();
    const capped = JSON.stringify(await client.callTool('deepseek_generate_code', { prompt: 'x' }));
    expect(capped).toContain('by which budgets are counted, cannot be read');
    await client.close();
    expect(await client.program.exit).toEqual({ code: 0, signal: null });
  });

  it.each(STRANGE)(
    'a server beside %s ends with its client and at a signal',
    async (_what, make) => {
      put(at('store.json'), make);
      put(at('prices.json'), make);
      for (const end of [
        (program: Program) => program.end(),
        (program: Program) => program.kill(),
      ]) {
        const program = new Program({ args: ['serve'], env: home.env });
        program.write(
          `${JSON.stringify({
            jsonrpc: '2.0',
            id: 1,
            method: 'initialize',
            params: {
              protocolVersion: '2025-11-25',
              capabilities: {},
              clientInfo: { name: 'test', version: '1' },
            },
          })}\n`,
        );
        while (program.lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
        // The store is begun to be opened by now, or soon.
        await new Promise((resolve) => setTimeout(resolve, 300));
        end(program);
        expect((await program.exit).signal).toBeNull();
      }
    },
  );
});

describe('a store with a string of 12 MB', () => {
  it('is damaged, which is 3, and no internal error', () => {
    writeFileSync(at('store.json'), JSON.stringify({ DEEPSEEK_API_KEY: 'A'.repeat(12_000_000) }));
    expectTwoLines(['keys', 'list'], 3);
    writeFileSync(at('store.json'), `{"format":"keypool-store","${'\\"'.repeat(6_000_000)}":1}`);
    expectTwoLines(['keys', 'list'], 3);
    writeFileSync(at('store.json'), `${'{"a":'.repeat(2_000_000)}1${'}'.repeat(2_000_000)}`);
    expectTwoLines(['keys', 'list'], 3);
  });
});
