/** A machine that has no more sockets to give: ours, not the provider's, and no key's fault. */

import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { childEnvironment, PROGRAM } from '../../../lab/program/program.ts';
import {
  callTool,
  connect,
  noise,
  type Session,
  textOf,
} from '../../../lab/program/test-client.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { fakeKey } from '../../../lab/store.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

let simulator: Simulator;
let home: Home;
beforeAll(async () => {
  simulator = await startSimulator({ seed: 23 });
  const [first, second] = [fakeKey(), fakeKey()];
  for (const secret of [first, second]) {
    simulator.addKey(secret, { provider: 'deepseek', ttftMs: 300, jitter: 0 });
  }
  const keys = [
    { name: 'DEEPSEEK_API_KEY', secret: first },
    { name: 'DEEPSEEK_API_KEY_2', secret: second },
  ];
  home = await createHome({ simulator, keys });
});
afterAll(async () => {
  home.remove();
  await simulator.close();
});

/** Tight: the process can open no file and no socket more than it has. */
function limitFiles(pid: number, isTight: boolean): void {
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  let free = 0;
  while (open.has(free)) free += 1;
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${isTight ? free : 1_024}:`]);
}

function call({ client }: Session) {
  return callTool(client, 'deepseek_generate_code', { prompt: 'Write a queue' });
}

async function statusOf({ client }: Session): Promise<string> {
  const { contents } = await client.readResource({ uri: 'keypool://status' });
  return JSON.stringify(contents);
}

describe.skipIf(process.platform !== 'linux')('no more open files', () => {
  it('is waited out; what lasts is named as this machine’s, and costs no key its name', async () => {
    const session = await connect(home.env);
    onTestFinished(() => session.close());
    await Promise.all([call(session), call(session)]);
    const { pid } = session.program;
    const eight = () => Promise.all(Array.from({ length: 8 }, () => call(session)));

    // Two connections are kept, and every further one is one too many.
    limitFiles(pid, true);
    const [results] = await Promise.all([
      eight(),
      new Promise((resolve) => setTimeout(resolve, 1_500)).then(() => limitFiles(pid, false)),
    ]);
    for (const result of results) expect(result.isError, textOf(result)).not.toBe(true);

    // By now there are more connections: the server drops them, so that new ones are needed.
    simulator.setProviderFaults('deepseek', [{ fault: 'reset', times: 1 }]);
    await call(session);
    limitFiles(pid, true);
    simulator.setProviderFaults('deepseek', []);
    const many = await Promise.all(Array.from({ length: 40 }, () => call(session)));
    const failed = many.filter((result) => result.isError === true).map(textOf);
    expect(failed.length).toBeGreaterThan(0);
    for (const text of failed) {
      expect(text).toContain('this machine has no more sockets or open files to give');
      expect(text).toContain('ulimit -n');
    }
    limitFiles(pid, false);
    expect((await call(session)).isError).not.toBe(true);
    expect(await statusOf(session)).not.toMatch(/"state":"(disabled|cooling)"/);
    expect(noise(session.program.lines)).toEqual([]);
  });
});

describe.skipIf(process.platform !== 'linux')('a program that may open too few files', () => {
  it('says so in two lines, whatever it was about to read', () => {
    const endings = [19, 21, 23].map((limit) =>
      spawnSync(
        'sh',
        ['-c', `ulimit -n ${limit}; exec "$0" "$@"`, process.execPath, PROGRAM, 'doctor'],
        { env: childEnvironment(home.env), encoding: 'utf8' },
      ),
    );
    // Below a certain number node itself does not start; how many it takes, versions differ in.
    const ours = endings.filter(({ stderr }) => stderr.startsWith('keypool-mcp: '));
    expect(ours.length).toBeGreaterThan(0);
    for (const { stderr, status } of ours) {
      expect(stderr).toMatch(/^keypool-mcp: error: too many files .+\nkeypool-mcp: hint: .+\n$/);
      expect(status).toBe(1);
    }
  });
});
