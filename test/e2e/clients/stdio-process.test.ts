/** The process behind stdio, on the built program: every way to end, cancelling, stray output. */

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { childEnvironment, PROGRAM } from '../../../lab/program/program.ts';
import { noise, type RawClient } from '../../../lab/program/test-client.ts';
import { watchStalls } from '../../../lab/stalls.ts';
import { DEEPSEEK, expectJsonLines, home, open, simulator, stdioStage } from './stdio-stage.ts';

stdioStage();

function hang(): void {
  simulator.setBehaviour(DEEPSEEK, { faults: [{ fault: 'never_answers', times: 1_000 }] });
}

/** An orphan that has ended may stay in the table until somebody asks for its exit code. */
function isRunning(pid: number): boolean {
  try {
    if (process.platform === 'linux') {
      return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    }
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** It takes some milliseconds; a call that nobody aborts, minutes. */
const AT_ONCE_MS = 5_000;

async function untilTrue(fits: () => boolean): Promise<void> {
  while (!fits()) await sleep(5);
}

/** Sends a call that never ends, and waits until the upstream has it. */
async function hangingCall(client: RawClient, id: number | string = 'hangs'): Promise<void> {
  hang();
  await client.initialize();
  const params = { name: 'deepseek_generate_code', arguments: { prompt: 'x' } };
  client.send({ jsonrpc: '2.0', id, method: 'tools/call', params });
  await untilTrue(() => simulator.calls.length > 0);
}

describe('the process', () => {
  it('answers what was asked and leaves when its input ends', async () => {
    const client = open();
    const answer = client.answer(1);
    client.program.end('{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n');
    expect((await answer).result?.tools).toHaveLength(2);
    expect(await client.program.exit).toEqual({ code: 0, signal: null });
  });

  it.each([
    ['its input ends', (client: RawClient) => client.program.end()],
    ['SIGTERM comes', (client: RawClient) => client.program.kill('SIGTERM')],
    ['SIGINT comes', (client: RawClient) => client.program.kill('SIGINT')],
  ])('aborts calls in flight and leaves at once when %s', async (_name, leave) => {
    const client = open();
    await hangingCall(client);
    const [askedAt, stalledMs] = [performance.now(), watchStalls()];
    leave(client);
    expect((await client.program.exit).code).toBe(0);
    expect(performance.now() - askedAt - stalledMs()).toBeLessThan(AT_ONCE_MS);
    await untilTrue(() => simulator.calls.every((call) => call.aborted));
    expect(noise(client.program.lines)).toEqual([]);
  });

  it('leaves quietly when nobody reads its output any more', async () => {
    const child = spawn(process.execPath, [PROGRAM], {
      env: childEnvironment(home.env),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('utf8');
    });
    child.stdin.on('error', () => undefined);
    const exited = new Promise((resolve) => child.once('close', resolve));
    child.stdout.destroy();
    const ping = setInterval(() => {
      child.stdin.write('{"jsonrpc":"2.0","id":1,"method":"ping"}\n');
    }, 10);
    expect(await exited).toBe(0);
    clearInterval(ping);
    expectJsonLines(stderr);
  });

  it('does not outlive a client that was killed', async () => {
    const client = `
      const { spawn } = require('node:child_process');
      const server = spawn(process.execPath, [process.argv[1]], { stdio: ['pipe', 'pipe', 'ignore'] });
      server.stdout.once('data', () => console.log(server.pid));
      server.stdin.write('{"jsonrpc":"2.0","id":1,"method":"ping"}\\n');
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['-e', client, PROGRAM], {
      env: childEnvironment(home.env),
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const pid = await new Promise<number>((resolve) => {
      parent.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString('utf8'))));
    });
    const [killedAt, stalledMs] = [performance.now(), watchStalls()];
    parent.kill('SIGKILL');
    await untilTrue(() => !isRunning(pid));
    expect(performance.now() - killedAt - stalledMs()).toBeLessThan(AT_ONCE_MS);
  });
});

describe('cancelling', () => {
  it.each([0, 5, 'five'])('aborts the upstream request at once, unanswered: id %s', async (id) => {
    const client = open();
    await hangingCall(client, id);
    client.notify('notifications/cancelled', { requestId: id });
    await untilTrue(() => simulator.calls.every((call) => call.aborted));
    expect((await client.request('ping')).result).toEqual({});
    expect(client.messages.filter((message) => message.id === id)).toEqual([]);
    await client.close();
  });
});

describe('progress', () => {
  it('is said strictly increasing with the token of the call, and not without one', async () => {
    simulator.setBehaviour(DEEPSEEK, { ttftMs: 5_500 });
    const client = open();
    await client.initialize();
    const args = { name: 'deepseek_generate_code', arguments: { prompt: 'x' } };
    await Promise.all([
      client.request('tools/call', { ...args, _meta: { progressToken: 'mine' } }),
      client.request('tools/call', args),
    ]);
    const said = client.messages.filter((each) => each.method === 'notifications/progress');
    expect(said.length).toBeGreaterThan(1);
    expect(said.every((each) => each.params?.progressToken === 'mine')).toBe(true);
    const values = said.map((each) => each.params?.progress ?? Number.NaN);
    expect(values).toEqual([...new Set(values)].sort((a, b) => a - b));
    await client.close();
  });
});

describe('what dependencies print', () => {
  it('never reaches stdout, and is JSON on stderr', async () => {
    const script = `setTimeout(() => setInterval(() => {
      console.log('stray', { a: 1 }); console.error('stray'); process.stdout.write('stray\\n');
      process.emitWarning('stray');
    }, 20).unref(), 500).unref()`;
    const client = open({
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(script)}`,
      OPENAI_LOG: 'debug',
    });
    await client.initialize();
    await untilTrue(() => client.program.stderr.includes('stray'));
    await client.callTool('deepseek_generate_code', { prompt: 'x' });
    await client.close();
    expect(noise(client.program.lines)).toEqual([]);
    expectJsonLines(client.program.stderr);
  });
});
