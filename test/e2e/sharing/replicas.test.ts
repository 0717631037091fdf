import { mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type HttpProgram, startHttp } from '../../../lab/program/http-program.ts';
import { run } from '../../../lab/program/program.ts';
import {
  freePort,
  hasRedis,
  NO_REDIS,
  RedisServerProcess,
  startRedisCluster,
} from '../../../lab/servers/redis.ts';
import { machineOf } from '../../../lab/sharing/machines.ts';
import { SharedHome } from '../../../lab/sharing/shared-programs.ts';
import { until } from '../../../lab/until.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

const PASSWORD = 'fake-password-of-a-test-redis';

let simulator: Simulator;
let shared: SharedHome;
let redis: RedisServerProcess;

beforeEach(async () => {
  simulator = await startSimulator({ seed: 16 });
  shared = await SharedHome.create(simulator, {
    slots: 5,
    answerMs: 200,
    keys: [{}],
    refusal: { wording: 'numbers', afterMs: 20 },
  });
  if (hasRedis) redis = await RedisServerProcess.start(['--requirepass', PASSWORD]);
});
afterEach(async () => {
  await redis?.remove();
  await shared.close();
  await simulator.close();
});

const machine = (more: Record<string, string> = {}) =>
  machineOf(shared.home, `redis://:${PASSWORD}@127.0.0.1:${redis?.port ?? 1}`, more);

function passwordFile(): string {
  const path = join(mkdtempSync(join(dirname(shared.home.folder), 'secret-')), 'password');
  writeFileSync(path, `${PASSWORD}\n`, { mode: 0o600 });
  return path;
}

interface Call {
  readonly ok: boolean;
}

async function calls(server: HttpProgram, count: number, what: string): Promise<Call[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const body = await server.call('deepseek_generate_code', { prompt: `${what} ${index}` });
      return { ok: body.includes('"structuredContent"') };
    }),
  );
}

// biome-ignore lint/suspicious/noExplicitAny: a test looks into it freely
async function sharingOf(server: HttpProgram): Promise<any> {
  const status = JSON.parse(await (await server.ask('/api/status')).text());
  return status.sharing;
}

/** A busy machine answers late, and then in time again. */
async function upIn(server: HttpProgram): ReturnType<typeof sharingOf> {
  for (let look = 0; ; look++) {
    const sharing = await sharingOf(server);
    if (sharing.state === 'up' || look === 100) return sharing;
    await sleep(100);
  }
}

const every = (all: readonly Call[]): boolean => all.every(({ ok }) => ok);

describe.skipIf(!hasRedis)(`replicas on one Redis${hasRedis ? '' : `: ${NO_REDIS}`}`, () => {
  it('share an account, know of each other, and tell nobody else of it', async () => {
    const client = redis.client({ password: PASSWORD });
    client.on('error', () => {});
    const monitor = await client.monitor();
    let wire = '';
    monitor.on('monitor', (_time, args) => {
      wire += `${args.join(' ')}\n`;
    });
    const fromFile = {
      KEYPOOL_REDIS_URL: `redis://127.0.0.1:${redis.port}`,
      KEYPOOL_REDIS_PASSWORD_FILE: passwordFile(),
    };
    const all = await Promise.all(
      [machine(fromFile), machine(), machine()].map((env) => startHttp(env)),
    );
    for (const [at, server] of all.entries())
      expect(every(await calls(server, 1, `r${at}`))).toBe(true);
    for (const server of all) await calls(server, 10, 'finding the limit');
    const before = shared.attempts().length;
    const runs = await Promise.all(all.map((server, at) => calls(server, 10, `burst ${at}`)));
    expect(every(runs.flat())).toBe(true);
    expect(shared.refusals(before)).toBeLessThanOrEqual(15);
    const [first] = all;
    if (first === undefined) throw new Error('no server');
    const sharing = await upIn(first);
    expect(sharing).toMatchObject({ state: 'up', over: 'redis', problem: null });
    expect(sharing.processes).toHaveLength(3);
    const metrics = await (await first.ask('/metrics')).text();
    expect(metrics).toContain('keypool_sharing_up{over="redis"} 1');
    expect(metrics).toContain('keypool_sharing_processes');
    monitor.disconnect();
    client.disconnect();
    expect(wire).toContain('kp1:{');
    for (const word of [
      ...shared.secrets.map((each) => each.slice(-6)),
      'DEEPSEEK',
      'serve --http',
      'shared',
      'deepseek-flash',
    ]) {
      expect(wire).not.toContain(word);
    }
    for (const { program } of all) expect(program.stderr).not.toContain(PASSWORD);
  }, 60_000);

  it('go on while it is frozen, killed, and back', async () => {
    const all = await Promise.all([machine(), machine(), machine()].map((env) => startHttp(env)));
    for (const [at, server] of all.entries()) await calls(server, 1, `r${at}`);
    const runs = all.map((server, at) => calls(server, 12, `frozen ${at}`));
    redis.signal('SIGSTOP');
    expect(every((await Promise.all(runs)).flat())).toBe(true);
    const [first] = all;
    if (first === undefined) throw new Error('no server');
    expect((await sharingOf(first)).state).toBe('down');
    redis.signal('SIGCONT');
    const more = all.map((server, at) => calls(server, 6, `killed ${at}`));
    await redis.kill();
    expect(every((await Promise.all(more)).flat())).toBe(true);
    await redis.up();
    let isBack = false;
    for (let i = 0; i < 50 && !isBack; i++) {
      await calls(first, 1, `back ${i}`);
      isBack = (await sharingOf(first)).state === 'up';
    }
    expect(isBack).toBe(true);
    const said = first.program.stderr.split('\n').filter((line) => line.includes('imits are'));
    expect(said.length).toBeLessThanOrEqual(6);
    expect(said.at(-1)).toContain('again');
  }, 90_000);

  it('of two homes use one Redis and never meet', async () => {
    const other = await SharedHome.create(simulator, { slots: 5, answerMs: 50, keys: [{}] });
    try {
      const ours = await startHttp(machine());
      const url = `redis://:${PASSWORD}@127.0.0.1:${redis.port}`;
      const theirs = await startHttp({ ...other.home.env, KEYPOOL_REDIS_URL: url });
      expect(every(await calls(ours, 2, 'ours'))).toBe(true);
      expect(every(await calls(theirs, 2, 'theirs'))).toBe(true);
      expect((await upIn(ours)).processes).toHaveLength(1);
      expect((await upIn(theirs)).processes).toHaveLength(1);
    } finally {
      await other.close();
    }
  }, 60_000);

  it('meet in a cluster of three masters, and where sentinels send them', async () => {
    const nodes = await startRedisCluster(3);
    const lone = await RedisServerProcess.start();
    const sentinel = await RedisServerProcess.sentinelOf(lone);
    onTestFinished(async () => {
      await Promise.all([...nodes, sentinel, lone].map((node) => node.remove()));
    });
    const [first, second] = nodes.map(({ port }) => `127.0.0.1:${port}`);
    for (const url of [
      `redis-cluster://${first},${second}`,
      `redis-sentinel://127.0.0.1:${sentinel.port}/mymaster`,
    ]) {
      const env = { KEYPOOL_REDIS_URL: url };
      const both = await Promise.all([machine(env), machine(env)].map((each) => startHttp(each)));
      const [one, other] = both;
      if (one === undefined || other === undefined) throw new Error('no server');
      expect(every(await calls(other, 2, 'other'))).toBe(true);
      await until(`they share over ${url}`, async () => {
        expect(every(await calls(one, 1, 'one'))).toBe(true);
        const { state, processes } = await sharingOf(one);
        return state === 'up' && processes.length === 2;
      });
    }
  }, 60_000);

  it('are looked at by doctor: version, round trip, and what is wrong', async () => {
    const fine = await run(['doctor', '--json'], machine());
    const check = (text: string) =>
      JSON.parse(text).checks.find((each: { check: string }) => each.check === 'sharing');
    expect(check(fine.stdout)).toMatchObject({
      status: 'ok',
      message: expect.stringMatching(/^(?:Redis|Valkey) [\d.]+ at 127\.0\.0\.1:\d+ answers in/),
    });
    const open = `redis://127.0.0.1:${redis.port}`;
    const refused = await run(['doctor', '--json'], machine({ KEYPOOL_REDIS_URL: open }));
    expect(refused.code).toBe(1);
    expect(check(refused.stdout).message).toContain('wants a password');
    expect(check(refused.stdout).hint).toContain('KEYPOOL_REDIS_PASSWORD_FILE');
    const nobody = `redis://127.0.0.1:${await freePort()}`;
    const gone = await run(['doctor', '--json'], machine({ KEYPOOL_REDIS_URL: nobody }));
    expect(check(gone.stdout).message).toContain('nobody listens there');
  }, 60_000);
});

describe('a Redis that does not do', () => {
  it('costs no call, and one line', async () => {
    const server = await startHttp(
      machine({ KEYPOOL_REDIS_URL: `redis://127.0.0.1:${await freePort()}` }),
    );
    expect(every(await calls(server, 8, 'alone'))).toBe(true);
    const lines = (): string[] =>
      server.program.stderr.split('\n').filter((line) => line.includes('not shared'));
    await until('it is said', () => lines().length > 0);
    expect(lines()).toHaveLength(1);
    expect(lines()[0]).toContain('nobody listens there');
    expect(await sharingOf(server)).toMatchObject({ state: 'down', over: 'redis' });
  }, 30_000);

  it('over a network without TLS is refused before anything is sent', async () => {
    const env = machine({ KEYPOOL_REDIS_URL: `redis://:${PASSWORD}@redis.invalid:6379` });
    const { code, stderr } = await run(['serve'], env);
    expect(code).toBe(2);
    expect(stderr).toContain('KEYPOOL_REDIS_PLAINTEXT=on');
    expect(stderr).not.toContain(PASSWORD);
  });
});
