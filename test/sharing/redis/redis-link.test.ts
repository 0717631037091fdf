import { randomBytes } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort, hasRedis, NO_REDIS } from '../../../lab/servers/redis.ts';
import { statedRow } from '../../../lab/sharing/statement.ts';
import { until } from '../../../lab/until.ts';
import { LinkDown } from '../../../src/sharing/protocol.ts';
import { RedisProcess, redis } from './redis-process.ts';

describe.skipIf(!hasRedis)(`processes on one Redis${hasRedis ? '' : `: ${NO_REDIS}`}`, () => {
  it('share an account', async () => {
    const { port } = await redis();
    const all = [new RedisProcess(port), new RedisProcess(port), new RedisProcess(port)];
    for (const each of all) await each.isAnswered();
    const [first, second, third] = all;
    await first?.wants(9);
    await second?.wants(9);
    const shares = [await third?.wants(1), await second?.wants(9), await first?.wants(9)];
    expect(shares.reduce((sum: number, share = 0) => sum + share, 0)).toBeLessThanOrEqual(4);
    expect((await first?.says())?.processes).toHaveLength(3);
    await second?.link.leave();
    expect((await first?.says())?.processes).toHaveLength(2);
  });

  it('lose nothing when all change it at once', async () => {
    const { port } = await redis();
    const all = Array.from({ length: 5 }, () => new RedisProcess(port));
    for (const each of all) await each.isAnswered();
    await Promise.all(
      all.map(async (each, index) => {
        for (let i = 0; i < 10; i++) {
          const report = {
            kind: 'out',
            id: `key-${index}-${i}`,
            checks: 0,
            checkInMs: 1e6,
          } as const;
          const reports = [{ number: i + 1, report }];
          // As a process does: told again until it was taken in.
          while ((await each.says({ reports }).catch(() => null)) === null) await sleep(10);
        }
      }),
    );
    const { facts } = await new RedisProcess(port).isAnswered();
    expect(facts).toHaveLength(50);
  });

  it('of another store never meet, and nothing on the wire tells of anybody', async () => {
    const server = await redis();
    const client = server.client();
    onTestFinished(async () => client.disconnect());
    const monitor = await client.monitor();
    const lines: string[] = [];
    monitor.on('monitor', (_time, args) => void lines.push(args.join(' ')));
    onTestFinished(async () => monitor.disconnect());
    const ours = new RedisProcess(server.port);
    const theirs = new RedisProcess(server.port, {}, randomBytes(32));
    await ours.isAnswered();
    await theirs.isAnswered();
    await ours.says({ client: 'claude-code', rows: [statedRow(1, 1)] });
    expect((await theirs.says()).processes).toHaveLength(1);
    const text = lines.join('\n');
    expect(text).toMatch(/kp1:\{/);
    for (const word of ['claude', 'account', 'model', 'rows', 'epoch']) {
      expect(text).not.toContain(word);
    }
  });

  it('believe nothing that somebody else put there', async () => {
    const server = await redis();
    const process = new RedisProcess(server.port);
    await process.says({ rows: [statedRow(1)] }).catch(() => null);
    await process.isAnswered();
    const client = server.client();
    const [key = ''] = await client.keys('*');
    await client.hset(key, 'v', Buffer.from('{"state":{}}').toString('base64'), 'g', '99');
    await client.quit();
    const other = new RedisProcess(server.port);
    expect((await other.isAnswered()).processes).toHaveLength(1);
    expect((await process.isAnswered()).processes.length).toBeGreaterThan(0);
  });

  it('go on when it is stopped, killed, and back', async () => {
    const server = await redis();
    const process = new RedisProcess(server.port);
    await process.isAnswered();
    server.signal('SIGSTOP');
    const startedAt = performance.now();
    await expect(process.says()).rejects.toThrow(LinkDown);
    const first = performance.now() - startedAt;
    const before = performance.now();
    for (let i = 0; i < 20; i++) await expect(process.says()).rejects.toThrow(LinkDown);
    // Nobody else waits as the first one did.
    expect(performance.now() - before).toBeLessThan(10 * first);
    server.signal('SIGCONT');
    await process.isAnswered();
    await server.kill();
    await until('it is said', async () => {
      await expect(process.says()).rejects.toThrow(LinkDown);
      return process.log.at(-1)?.includes('nobody listens there') === true;
    });
    await server.up();
    expect((await process.isAnswered()).processes).toHaveLength(1);
    expect(process.log.at(-1)).toContain('again');
  }, 30_000);
});

describe.skipIf(!hasRedis)(`a Redis that does not do${hasRedis ? '' : `: ${NO_REDIS}`}`, () => {
  it('wants a password, or another one', async () => {
    const { port } = await redis('--requirepass', 'test-password-of-redis');
    expect(await new RedisProcess(port).complaint()).toContain('wants a password');
    const wrong = new RedisProcess(port, { password: 'wrong-password' });
    const said = await wrong.complaint();
    expect(said).toContain('refuses the password');
    expect(said).not.toContain('wrong-password');
    const right = new RedisProcess(port, { password: 'test-password-of-redis' });
    expect((await right.isAnswered()).processes).toHaveLength(1);
  });

  it('gives the user no right to scripts', async () => {
    const { port } = await redis(
      '--user',
      'team',
      'on',
      '>pass-of-team',
      '~kp1:*',
      '+@read',
      '+@write',
      '+@connection',
    );
    const user = { user: 'team', password: 'pass-of-team' };
    expect(await new RedisProcess(port, user).complaint()).toContain('does not allow its scripts');
  });

  it('does with the rights that doctor asks for', async () => {
    const { port } = await redis(
      '--user',
      'team',
      'on',
      '>pass-of-team',
      '~kp1:*',
      '+eval',
      '+evalsha',
      '+hget',
      '+hset',
      '+pexpire',
      '+time',
    );
    const process = new RedisProcess(port, { user: 'team', password: 'pass-of-team' });
    expect((await process.isAnswered()).processes).toHaveLength(1);
  });

  it('knows no EVAL', async () => {
    const { port } = await redis('--rename-command', 'EVAL', '', '--rename-command', 'EVALSHA', '');
    expect(await new RedisProcess(port).complaint()).toContain('knows no EVAL');
  });

  it('is a read-only replica', async () => {
    const master = await redis();
    const { port } = await redis('--replicaof', `127.0.0.1 ${master.port}`);
    await sleep(300);
    expect(await new RedisProcess(port).complaint()).toMatch(/read-only replica|not ready/);
  });

  it('is out of memory', async () => {
    const { port } = await redis('--maxmemory', '1000000', '--maxmemory-policy', 'noeviction');
    expect(await new RedisProcess(port).complaint()).toContain('is out of memory');
  });

  it('is a cluster', async () => {
    const { port } = await redis('--cluster-enabled', 'yes');
    expect(await new RedisProcess(port).complaint()).toMatch(/is a cluster|is not ready/);
  });
});

describe('what is no Redis', () => {
  const listen = async (onSocket: (socket: Socket) => void): Promise<number> => {
    const port = await freePort();
    const server: Server = createServer((socket) => {
      socket.on('error', () => {});
      onSocket(socket);
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    onTestFinished(async () => void server.close());
    return port;
  };

  it.each<[string, (socket: Socket) => void, RegExp]>([
    [
      'a web server',
      (socket) => void socket.on('data', () => socket.end('HTTP/1.1 400 Bad\r\n\r\n')),
      /is no Redis|cannot be reached/,
    ],
    [
      'somebody who says yes to everything',
      (socket) => void socket.on('data', () => socket.write('+OK\r\n')),
      /answers nonsense/,
    ],
    [
      'numbers of another kind',
      (socket) => void socket.on('data', () => socket.write('*4\r\n:1\r\n:2\r\n:3\r\n:4\r\n')),
      /answers nonsense/,
    ],
    ['who hangs up', (socket) => void socket.destroy(), /cannot be reached/],
    ['who is silent', () => {}, /answers late|does not answer/],
  ])('%s', async (_what, onSocket, expected) => {
    const port = await listen(onSocket);
    expect(await new RedisProcess(port).complaint()).toMatch(expected);
  });

  it('nobody at all', async () => {
    expect(await new RedisProcess(await freePort()).complaint()).toContain('nobody listens there');
  });
});
