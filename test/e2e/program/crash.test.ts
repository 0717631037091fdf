/** A bug that nobody caught: the program ends in order, and shows no secret and no raw stack. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { canarySecret, findLeaks } from '../../../lab/canary.ts';
import { addressOf } from '../../../lab/program/http-program.ts';
import { Program } from '../../../lab/program/program.ts';
import { RawClient } from '../../../lab/program/test-client.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { until } from '../../../lab/until.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

const secret = canarySecret('sk-fake');

let simulator: Simulator;
let home: Home;
let env: Record<string, string>;

/** Stands for a listener of some dependency: it throws, and what it says holds a key. */
function bombIn(folder: string): string {
  const path = join(folder, 'bomb.mjs');
  const code = `process.on('SIGUSR2', () => setTimeout(() => { throw new Error('for ${secret}'); }));`;
  writeFileSync(path, code);
  return path;
}

beforeEach(async () => {
  simulator = await startSimulator();
  simulator.addKey(secret, { provider: 'deepseek', ttftMs: 200, tokensPerSecond: 200 });
  home = await createHome({ keys: [{ name: 'DEEPSEEK_API_KEY', secret }], simulator });
  env = { ...home.env, NODE_OPTIONS: `--import ${bombIn(home.tmp)}` };
});

afterEach(async () => {
  await simulator.close();
  home.remove();
});

function expectOrder(program: Program): void {
  const lines = program.stderr.split('\n').filter((line) => line.includes('exception'));
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'error', msg: 'uncaught exception' });
  expect(program.stderr).not.toMatch(/^ {4}at /m);
  const sinks = [{ name: 'output', content: program.stdout + program.stderr }];
  expect(findLeaks([secret], sinks).leaks).toEqual([]);
}

describe('an exception that nobody caught', () => {
  it('ends the server on stdio with 1', async () => {
    const client = new RawClient(env);
    await client.initialize();
    await client.callTool('deepseek_generate_code', { prompt: 'x' });
    client.program.kill('SIGUSR2');
    expect(await client.program.exit).toEqual({ code: 1, signal: null });
    expectOrder(client.program);
  });

  it('ends the HTTP server with 1, once the calls in flight are answered', async () => {
    const program = new Program({
      args: ['serve', '--http', '--port', '0'],
      env: { ...env, KEYPOOL_HTTP_TOKEN: 'token-of-a-crash-test', KEYPOOL_LOG_LEVEL: 'info' },
    });
    onTestFinished(() => program.kill('SIGKILL'));
    await until('it listens', () => addressOf(program) !== '');
    const call = fetch(`${addressOf(program)}/mcp`, {
      method: 'POST',
      headers: {
        authorization: 'Bearer token-of-a-crash-test',
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'deepseek_generate_code',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: {
          name: 'deepseek_generate_code',
          arguments: { prompt: 'x' },
          _meta: {
            'io.modelcontextprotocol/protocolVersion': '2026-07-28',
            'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
            'io.modelcontextprotocol/clientCapabilities': {},
          },
        },
      }),
    }).then((response) => response.text());
    await until('the call is at work', () => simulator.calls.length > 0);
    program.kill('SIGUSR2');
    expect(await call).toContain('structuredContent');
    expect(await program.exit).toEqual({ code: 1, signal: null });
    expectOrder(program);
  });

  it('ends a batch with 1, and the same command goes on from there', async () => {
    const tasks = join(home.tmp, 'tasks.jsonl');
    const lines = Array.from({ length: 40 }, (_, id) => JSON.stringify({ id, prompt: 'x' }));
    writeFileSync(tasks, `${lines.join('\n')}\n`);
    const program = new Program({ args: ['batch', tasks, '--out', `${tasks}.out`], env });
    onTestFinished(() => program.kill('SIGKILL'));
    await until('tasks are at work', () => simulator.calls.length > 4);
    program.kill('SIGUSR2');
    expect(await program.exit).toEqual({ code: 1, signal: null });
    expect(program.stderr).toContain('the same command goes on from here');
    expectOrder(program);
  });
});
