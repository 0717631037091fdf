/** Whatever a Redis is or does: every call is served, one line says what is wrong, and one that it is over. */

import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createWebServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type HttpProgram, startHttp } from '../../../lab/program/http-program.ts';
import { PROGRAM } from '../../../lab/program/program.ts';
import { clockFront } from '../../../lab/servers/clock-front.ts';
import { listenOnLoopback } from '../../../lab/servers/local-server.ts';
import { hasRedis, NO_REDIS, RedisServerProcess } from '../../../lab/servers/redis.ts';
import { machineOf } from '../../../lab/sharing/machines.ts';
import { SharedHome } from '../../../lab/sharing/shared-programs.ts';
import { temporaryFolder } from '../../../lab/store.ts';
import { until } from '../../../lab/until.ts';
import { PROTOCOL_VERSION } from '../../../src/sharing/protocol.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

const PASSWORD = 'fake-password-of-a-test-redis';

let simulator: Simulator;
let shared: SharedHome;

beforeEach(async () => {
  simulator = await startSimulator({ seed: 16 });
  shared = await SharedHome.create(simulator, { slots: 5, answerMs: 20, keys: [{}] });
});
afterEach(async () => {
  await shared.close();
  await simulator.close();
});

interface Trouble {
  readonly url: string;
  /** Called when the program has shared for a while, where the trouble comes later. */
  readonly begin?: () => Promise<unknown>;
  readonly mend: () => Promise<unknown>;
}

async function redis(args: readonly string[] = [], port?: number): Promise<RedisServerProcess> {
  const server = await RedisServerProcess.start(args, port);
  onTestFinished(() => server.remove());
  return server;
}

/** A real one, and a word to it that mends it. */
async function mendedBy(
  args: readonly string[],
  command: readonly [string, ...string[]],
  user = '',
): Promise<Trouble> {
  const server = await redis(args);
  const mend = async (): Promise<void> => {
    const isLocked = args[0] === '--requirepass';
    const client = server.client(isLocked ? { password: PASSWORD } : {});
    const [name, ...words] = command;
    await client.call(name, ...words);
    client.disconnect();
  };
  return { url: server.url.replace('redis://', `redis://${user}`), mend };
}

/** Something else listens there, and later a Redis. */
async function instead(server: Server): Promise<Trouble> {
  const stranger = await listenOnLoopback(server);
  const mend = async (): Promise<void> => {
    await stranger.close();
    await redis([], stranger.port);
  };
  return { url: `redis://127.0.0.1:${stranger.port}`, mend };
}

async function during(
  begin: (server: RedisServerProcess) => unknown,
  mend: (server: RedisServerProcess) => unknown,
): Promise<Trouble> {
  const server = await redis();
  return {
    url: server.url,
    begin: async () => await begin(server),
    mend: async () => await mend(server),
  };
}

async function isServed(server: HttpProgram, count: number): Promise<void> {
  const calls = Array.from({ length: count }, (_, at) =>
    server.call('deepseek_generate_code', { prompt: `task ${at}` }),
  );
  for (const body of await Promise.all(calls)) expect(body).toContain('"structuredContent"');
}

const linesOf = ({ program }: HttpProgram, words: string): string[] =>
  program.stderr.split('\n').filter((line) => line.includes(words));

/** What is said of the Redis; that it does not answer in time only where that is its fault, not the machine's. */
function complaints(server: HttpProgram, isSlow = false): string[] {
  const lines = linesOf(server, 'are not shared');
  return isSlow ? lines : lines.filter((line) => !line.includes('does not answer in time'));
}

// biome-ignore lint/suspicious/noExplicitAny: a test looks into it freely
async function sharingOf(server: HttpProgram): Promise<any> {
  const status = JSON.parse(await (await server.ask('/api/status')).text());
  return status.sharing;
}

/** With a call between two looks: an idle program asks nobody. */
async function untilUp(server: HttpProgram, processes = 1): Promise<void> {
  await until(
    'it shares',
    async () => {
      await isServed(server, 1);
      const { state, processes: all } = await sharingOf(server);
      return state === 'up' && all.length === processes;
    },
    20_000,
  );
}

const RIGHTS = '+eval +evalsha +hget +hset +pexpire +time'.split(' ');

const TROUBLES: ReadonlyArray<readonly [string, () => Promise<Trouble>, RegExp]> = [
  [
    'is a web server',
    () => instead(createWebServer((_request, response) => response.end('hello'))),
    /is no Redis/,
  ],
  [
    'is silent',
    () => instead(createServer((socket) => socket.on('error', () => {}))),
    /does not answer in time/,
  ],
  [
    'says yes to everything',
    () => instead(createServer((socket) => void socket.on('data', () => socket.write('+OK\r\n')))),
    /answers nonsense/,
  ],
  [
    'wants a password',
    () => mendedBy(['--requirepass', PASSWORD], ['CONFIG', 'SET', 'requirepass', '']),
    /wants a password/,
  ],
  [
    'wants another password',
    () =>
      mendedBy(
        ['--requirepass', PASSWORD],
        ['CONFIG', 'SET', 'requirepass', 'fake-wrong-password'],
        ':fake-wrong-password@',
      ),
    /refuses the password/,
  ],
  [
    'gives the user no EVAL',
    () =>
      mendedBy(
        ['--user', 'team', 'on', '>fake-pass-of-team', '~kp1:*', '+@read', '+@connection'],
        ['ACL', 'SETUSER', 'team', ...RIGHTS],
        'team:fake-pass-of-team@',
      ),
    /does not allow its scripts/,
  ],
  [
    'is a read-only replica',
    async () => {
      const master = await redis();
      return mendedBy(['--replicaof', `127.0.0.1 ${master.port}`], ['REPLICAOF', 'NO', 'ONE']);
    },
    /is a read-only replica|is not ready/,
  ],
  [
    'is out of memory',
    () =>
      mendedBy(
        ['--maxmemory', '100000', '--maxmemory-policy', 'noeviction'],
        ['CONFIG', 'SET', 'maxmemory', '0'],
      ),
    /is out of memory/,
  ],
  [
    'goes away',
    () =>
      during(
        (server) => server.kill(),
        (server) => server.up(),
      ),
    /cannot be reached/,
  ],
  [
    'freezes',
    () =>
      during(
        (server) => server.signal('SIGSTOP'),
        (server) => server.signal('SIGCONT'),
      ),
    /does not answer in time/,
  ],
];

describe.skipIf(!hasRedis)(`a Redis that${hasRedis ? '' : `: ${NO_REDIS}`}`, () => {
  it.each(TROUBLES)(
    '%s',
    async (_what, start, said) => {
      const { url, begin, mend } = await start();
      const isSlow = said.test('does not answer in time');
      const server = await startHttp(machineOf(shared.home, url));
      if (begin !== undefined) {
        await untilUp(server);
        expect(linesOf(server, 'are not shared')).toEqual([]);
        await begin();
      }
      await until('it is said', async () => {
        await isServed(server, 2);
        return complaints(server, isSlow).length > 0;
      });
      await isServed(server, 8);
      expect(await sharingOf(server)).toMatchObject({ state: 'down', over: 'redis' });
      const lines = complaints(server, isSlow);
      expect(lines, lines.join('\n')).toHaveLength(1);
      expect(lines[0]).toMatch(said);
      expect(linesOf(server, 'shared with other processes again')).toEqual([]);
      await mend();
      await untilUp(server);
      expect(linesOf(server, 'shared with other processes again')).toHaveLength(1);
      expect(complaints(server, isSlow)).toHaveLength(1);
      for (const secret of [PASSWORD, 'fake-pass-of-team', 'fake-wrong-password']) {
        expect(server.program.stderr).not.toContain(secret);
      }
      expect(linesOf(server, '"level":"error"')).toEqual([]);
    },
    60_000,
  );

  it('forgets its scripts, and everything, is told anew', async () => {
    const server = await redis();
    const all = [await startHttp(machineOf(shared.home, server.url))];
    all.push(await startHttp(machineOf(shared.home, server.url)));
    const [one, other] = all;
    if (one === undefined || other === undefined) throw new Error('no server');
    await isServed(other, 1);
    await untilUp(one, 2);
    const client = server.client();
    await client.script('FLUSH');
    await isServed(one, 4);
    await client.flushall();
    client.disconnect();
    await isServed(one, 4);
    await isServed(other, 4);
    await untilUp(one, 2);
    for (const each of all) expect(complaints(each)).toEqual([]);
  }, 60_000);

  it('has a clock that jumps is believed all the same', async () => {
    const server = await redis();
    const front = await clockFront(server.port);
    onTestFinished(() => front.close());
    const url = `redis://127.0.0.1:${front.port}`;
    const one = await startHttp(machineOf(shared.home, url));
    const other = await startHttp(machineOf(shared.home, url));
    for (const ms of [0, 3_600_000, -7_200_000]) {
      front.set(ms);
      await Promise.all([isServed(one, 10), isServed(other, 10)]);
      await isServed(other, 1);
      await untilUp(one, 2);
    }
    for (const each of [one, other]) expect(complaints(each)).toEqual([]);
  }, 60_000);

  it('has programs of two versions keeps them apart, and each among its own', async () => {
    const server = await redis();
    const next = join(nextVersion(), 'cli.js');
    const env = () => machineOf(shared.home, server.url);
    const [old, young] = [await startHttp(env()), await startHttp(env(), [], next)];
    const third = await startHttp(env(), [], next);
    for (const each of [old, young, third]) await isServed(each, 3);
    await untilUp(old, 1);
    await isServed(third, 1);
    await untilUp(young, 2);
    await sleep(100);
    for (const each of [old, young, third]) expect(complaints(each)).toEqual([]);
  }, 60_000);
});

/** As it stands in the bundle. */
const purpose = (version: number): string => `\`lanes ${version}\``;

/** The built program as it would be with another protocol. @returns its folder */
function nextVersion(): string {
  const root = temporaryFolder();
  const folder = join(root, 'dist');
  mkdirSync(folder);
  cpSync(dirname(PROGRAM), folder, { recursive: true });
  cpSync(join(dirname(PROGRAM), '..', 'package.json'), join(root, 'package.json'));
  let changed = 0;
  for (const name of readdirSync(folder).filter((each) => each.startsWith('redis-link-'))) {
    const path = join(folder, name);
    const text = readFileSync(path, 'utf8');
    if (text.includes(purpose(PROTOCOL_VERSION))) changed += 1;
    const next = text.replace(purpose(PROTOCOL_VERSION), purpose(PROTOCOL_VERSION + 1));
    writeFileSync(path, next);
  }
  expect(changed).toBeGreaterThan(0);
  return folder;
}
