/** A server whose settings file is edited while it serves, typing errors included. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { startHttp } from '../../../lab/program/http-program.ts';
import { Program, run } from '../../../lab/program/program.ts';
import { RawClient } from '../../../lab/program/test-client.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { fakeKey } from '../../../lab/store.ts';
import { until } from '../../../lab/until.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

const BROKEN = 'KEYPOOL_CALL_TIMEOUT_MS=soon\n';
const COMPLAINT = /The settings changed and cannot be used/g;

let simulator: Simulator;
let home: Home;
let settings: string;
let good: string;

beforeEach(async () => {
  simulator = await startSimulator();
  const secret = fakeKey();
  simulator.addKey(secret, { provider: 'deepseek', ttftMs: 5, tokensPerSecond: 20_000 });
  home = await createHome({ keys: [{ name: 'DEEPSEEK_API_KEY', secret }], simulator });
  settings = join(home.folder, '.env');
  good = readFileSync(settings, 'utf8');
  // Once the servers of the test are gone: what was registered last goes first.
  onTestFinished(async () => {
    await simulator.close();
    home.remove();
  });
});

const edit = (text: string): void => writeFileSync(settings, text, { mode: 0o600 });
/** By somebody whose own settings are in order. */
async function addKey(name: string): Promise<void> {
  const master = /MASTER_ENCRYPTION_KEY="?([^"\s]+)/.exec(good)?.[1] ?? '';
  const other = join(home.tmp, 'other.env');
  writeFileSync(other, '', { mode: 0o600 });
  const env = { ...home.env, MASTER_ENCRYPTION_KEY: master };
  const secret = fakeKey();
  simulator.addKey(secret, { provider: 'deepseek', ttftMs: 5, tokensPerSecond: 20_000 });
  const { code, stderr } = await run(['keys', 'add', name, '--dotenv', other], env, {
    input: secret,
  });
  expect(code, stderr).toBe(0);
}

const takes = (program: Program, name: string) =>
  until(`the server has ${name}`, () => program.stderr.includes(`${name} (`));

/** Breaks the settings twice while keys come, and mends them. */
async function editWhile(program: Program, call: () => Promise<string>): Promise<void> {
  expect(await call()).toContain('DEEPSEEK_API_KEY');
  edit(good + BROKEN);
  await until('the typing error is reported', () => COMPLAINT.test(program.stderr));
  await addKey('DEEPSEEK_API_KEY_2');
  await takes(program, 'DEEPSEEK_API_KEY_2');
  expect(await call()).toContain('DEEPSEEK_API_KEY');
  edit(`${good}${BROKEN}# still\n`);
  await addKey('DEEPSEEK_API_KEY_3');
  await takes(program, 'DEEPSEEK_API_KEY_3');
  expect(program.stderr.match(COMPLAINT)).toHaveLength(1);
  const secret = fakeKey();
  edit(`${good}DEEPSEEK_API_KEY_4=${secret}\n`);
  await takes(program, 'DEEPSEEK_API_KEY_4');
  expect(await call()).toContain('DEEPSEEK_API_KEY');
  const lines = program.stderr.split('\n').filter((line) => line !== '');
  expect(lines.filter((line) => !line.startsWith('{'))).toEqual([]);
  expect(program.stderr).not.toContain(secret);
}

describe('a typing error in the settings file', () => {
  it('is reported once by the server on stdio, which goes on and takes the next change', async () => {
    const client = new RawClient(home.env);
    await client.initialize();
    await editWhile(client.program, async () =>
      JSON.stringify(await client.callTool('deepseek_generate_code', { prompt: 'x' })),
    );
    await client.close();
    expect(await client.program.exit).toEqual({ code: 0, signal: null });
  });

  it('is reported once by the HTTP server, which goes on and takes the next change', async () => {
    const http = await startHttp(home.env);
    await editWhile(http.program, () => http.call('deepseek_generate_code', { prompt: 'x' }));
    http.program.kill('SIGTERM');
    expect(await http.program.exit).toEqual({ code: 0, signal: null });
  });

  it('that is there before the first call does no more harm than later', async () => {
    const http = await startHttp(home.env);
    edit(good + BROKEN);
    expect(await http.call('deepseek_generate_code', { prompt: 'x' })).toContain(
      'DEEPSEEK_API_KEY',
    );
    await until('it is said', () => (http.program.stderr.match(COMPLAINT) ?? []).length === 1);
  });

  it('ends no batch', async () => {
    const tasks = Array.from({ length: 400 }, (_, id) => JSON.stringify({ id, prompt: 'x' }));
    const path = join(home.tmp, 'tasks.jsonl');
    const out = join(home.tmp, 'out.jsonl');
    writeFileSync(path, `${tasks.join('\n')}\n`);
    const program = new Program({ args: ['batch', path, '--out', out], env: home.env });
    onTestFinished(() => program.kill('SIGKILL'));
    await until('tasks are at work', () => simulator.calls.length > 20);
    edit(good + BROKEN);
    await addKey('DEEPSEEK_API_KEY_2');
    expect(await program.exit, program.stderr).toEqual({ code: 0, signal: null });
    expect(readFileSync(out, 'utf8').trim().split('\n')).toHaveLength(400);
    expect(program.stderr).not.toMatch(/\n {4}at /);
  });
});

describe('other settings that are written while a server runs', () => {
  it('wait for the next start, which is said once', async () => {
    const http = await startHttp(home.env);
    await http.call('deepseek_generate_code', { prompt: 'x' });
    edit(`${good}DEEPSEEK_MODEL=another-model\nDEEPSEEK_API_KEY_2=${fakeKey()}\n`);
    await takes(http.program, 'DEEPSEEK_API_KEY_2');
    edit(`${good}DEEPSEEK_MODEL=another-model\nDEEPSEEK_API_KEY_3=${fakeKey()}\n`);
    await takes(http.program, 'DEEPSEEK_API_KEY_3');
    edit(`${good}DEEPSEEK_API_KEY_4=${fakeKey()}\n`);
    await takes(http.program, 'DEEPSEEK_API_KEY_4');
    expect(http.program.stderr.match(/all else at the next start/g)).toHaveLength(1);
    simulator.reset();
    await http.call('deepseek_generate_code', { prompt: 'x' });
    expect(JSON.stringify(simulator.calls)).not.toContain('another-model');
  });
});

describe('while keys are served', () => {
  it('SIGUSR1 opens no debugger', async () => {
    const http = await startHttp(home.env);
    http.program.kill('SIGUSR1');
    await until('the signal is answered', () => http.program.stderr.includes('SIGUSR1'));
    expect(http.program.stderr).not.toContain('Debugger listening');
    expect((await http.ask('/healthz')).status).toBe(200);
  });
});

describe('keys that are written into the settings file while a server runs', () => {
  function newKey(): string {
    const secret = fakeKey();
    simulator.addKey(secret, { provider: 'deepseek', ttftMs: 5, tokensPerSecond: 20_000 });
    return secret;
  }

  it('serve beside the store, and can be verified from the page', async () => {
    const http = await startHttp(home.env);
    await http.call('deepseek_generate_code', { prompt: 'x' });
    edit(`${good}DEEPSEEK_API_KEY_5=${newKey()}\n`);
    await takes(http.program, 'DEEPSEEK_API_KEY_5');
    const answer = await http.ask('/api/keys/DEEPSEEK_API_KEY_5/verify', { method: 'POST' });
    expect(await answer.json()).toMatchObject({ verdict: 'ok' });
    const unknown = await http.ask('/api/keys/DEEPSEEK_API_KEY_6/verify', { method: 'POST' });
    expect(unknown.status).toBe(404);
  });

  it('serve where there is no store, and no more when they are taken out', async () => {
    const bare = await createHome({ simulator });
    onTestFinished(() => bare.remove());
    mkdirSync(bare.folder, { mode: 0o700 });
    const client = new RawClient(bare.env);
    onTestFinished(() => client.program.kill('SIGKILL'));
    await client.initialize();
    const call = async (): Promise<string> =>
      JSON.stringify((await client.callTool('deepseek_generate_code', { prompt: 'x' })).result);
    expect(await call()).toContain('here is no key store');
    const file = join(bare.folder, '.env');
    writeFileSync(file, `DEEPSEEK_API_KEY=${newKey()}\n`, { mode: 0o600 });
    await takes(client.program, 'DEEPSEEK_API_KEY');
    expect(await call()).toContain('"key":"DEEPSEEK_API_KEY"');
    writeFileSync(file, '# nothing\n', { mode: 0o600 });
    await vi.waitFor(async () => expect(await call()).toContain('here is no key store'), {
      timeout: 10_000,
    });
    await client.close();
  });
});
