import { randomBytes } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { clockFront } from '../../../lab/servers/clock-front.ts';
import { listenOnLoopback } from '../../../lab/servers/local-server.ts';
import { freePort, hasRedis, NO_REDIS } from '../../../lab/servers/redis.ts';
import { statedRow } from '../../../lab/sharing/statement.ts';
import { settlesAtOnce, until } from '../../../lab/until.ts';
import { LinkDown } from '../../../src/sharing/protocol.ts';
import { RedisProcess, redis } from './redis-process.ts';

describe.skipIf(!hasRedis)(`processes on one Redis${hasRedis ? '' : `: ${NO_REDIS}`}`, () => {
  it('share an account', async () => {
    const { port } = await redis();
    const all = [new RedisProcess(port), new RedisProcess(port), new RedisProcess(port)];
    for (const each of all) await each.says();
    const [first, second, third] = all;
    await first?.wants(9);
    await second?.wants(9);
    const shares = [await third?.wants(1), await second?.wants(9), await first?.wants(9)];
    expect(shares.reduce((sum: number, share = 0) => sum + share, 0)).toBeLessThanOrEqual(4);
    expect((await first?.says())?.processes).toHaveLength(3);
    await second?.link.leave();
    await until('it is gone', async () => (await first?.says())?.processes.length === 2);
  });

  it('lose nothing when all change it at once', async () => {
    const { port } = await redis();
    const all = Array.from({ length: 5 }, () => new RedisProcess(port));
    for (const each of all) await each.says();
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
          await each.says({ reports });
        }
      }),
    );
    const { facts } = await new RedisProcess(port).says();
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
    await ours.says();
    await theirs.says();
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
    await process.says({ rows: [statedRow(1)] });
    const client = server.client();
    const [key = ''] = await client.keys('*');
    await client.hset(key, 'v', Buffer.from('{"state":{}}').toString('base64'), 'g', '99');
    await client.quit();
    const other = new RedisProcess(server.port);
    expect((await other.says()).processes).toHaveLength(1);
    expect((await process.says()).processes.length).toBeGreaterThan(0);
  });

  it('wait no longer for a pause when its clock is set back by hours, and are all there', async () => {
    const front = await clockFront((await redis()).port);
    onTestFinished(() => front.close());
    const [one, other] = [new RedisProcess(front.port), new RedisProcess(front.port)];
    await other.wants(1);
    const report = { kind: 'resting', id: 'account', forMs: 5_000 } as const;
    await one.says({ rows: [statedRow(0, 1)], reports: [{ number: 1, report }] });
    for (const hours of [1, -1, -3]) {
      front.set(hours * 3_600_000);
      for (const each of [one, one, other, one]) await each.wants(1);
    }
    const { grants, facts, processes } = await one.says({ rows: [statedRow(0, 1)] });
    expect(grants[0]?.limit.probeInMs).toBeLessThanOrEqual(5_000);
    expect(facts.find(({ id }) => id === 'account')?.restsMs).toBeLessThanOrEqual(5_000);
    expect(processes).toHaveLength(2);
  });

  it('go on when it is stopped, killed, and back', async () => {
    const server = await redis();
    const process = new RedisProcess(server.port);
    await process.says();
    server.signal('SIGSTOP');
    await expect(process.asks()).rejects.toThrow(LinkDown);
    // Nobody else waits as the first one did.
    for (let i = 0; i < 20; i++) {
      const next = process.asks();
      expect(await settlesAtOnce(next)).toBe(true);
      await expect(next).rejects.toThrow(LinkDown);
    }
    server.signal('SIGCONT');
    await process.says();
    await server.kill();
    await until('it is said', async () => {
      await expect(process.asks()).rejects.toThrow(LinkDown);
      return process.log.at(-1)?.includes('nobody listens there') === true;
    });
    await server.up();
    expect((await process.says()).processes).toHaveLength(1);
    expect(process.log.at(-1)).toContain('again');
  }, 60_000);
});

describe.skipIf(!hasRedis)(`a Redis that does not do${hasRedis ? '' : `: ${NO_REDIS}`}`, () => {
  it('wants a password, or another one', async () => {
    const { port } = await redis('--requirepass', 'test-password-of-redis');
    await new RedisProcess(port).complaint(/wants a password/);
    const wrong = new RedisProcess(port, { password: 'wrong-password' });
    await wrong.complaint(/refuses the password/);
    expect(wrong.log.join()).not.toContain('wrong-password');
    const right = new RedisProcess(port, { password: 'test-password-of-redis' });
    expect((await right.says()).processes).toHaveLength(1);
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
    await new RedisProcess(port, user).complaint(/does not allow its scripts/);
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
    expect((await process.says()).processes).toHaveLength(1);
  });

  it('knows no EVAL', async () => {
    const { port } = await redis('--rename-command', 'EVAL', '', '--rename-command', 'EVALSHA', '');
    await new RedisProcess(port).complaint(/knows no EVAL/);
  });

  it('is a read-only replica', async () => {
    const master = await redis();
    const { port } = await redis('--replicaof', `127.0.0.1 ${master.port}`);
    await new RedisProcess(port).complaint(/read-only replica|not ready/);
  });

  it('is out of memory', async () => {
    const { port } = await redis('--maxmemory', '1000000', '--maxmemory-policy', 'noeviction');
    await new RedisProcess(port).complaint(/is out of memory/);
  });

  it('is a cluster', async () => {
    const { port } = await redis('--cluster-enabled', 'yes');
    await new RedisProcess(port).complaint(/is a cluster|is not ready/);
  });
});

describe('what is no Redis', () => {
  const listen = async (onSocket: (socket: Socket) => void): Promise<number> => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      onSocket(socket);
    });
    const { port, close } = await listenOnLoopback(server);
    onTestFinished(close);
    return port;
  };

  it.each<[string, (socket: Socket) => void, RegExp]>([
    [
      'a web server',
      (socket) => void socket.on('data', () => socket.end('HTTP/1.1 400 Bad\r\n\r\n')),
      /is no Redis/,
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
    ['who is silent', () => {}, /does not answer in time/],
  ])('%s', async (_what, onSocket, expected) => {
    const port = await listen(onSocket);
    await new RedisProcess(port).complaint(expected);
  });

  it('who falls silent is called that, while connections are made anew', async () => {
    const server = await redis();
    const isSilent = { now: false };
    let connections = 0;
    const port = await listen((outside) => {
      connections += 1;
      const inside = connect(server.port, '127.0.0.1');
      outside.pipe(inside);
      inside.on('data', (chunk) => void (isSilent.now ? null : outside.write(chunk)));
      inside.on('error', () => {});
      outside.on('close', () => inside.destroy());
    });
    const process = new RedisProcess(port);
    await process.says();
    isSilent.now = true;
    await expect(process.asks()).rejects.toThrow(LinkDown);
    const [last, said] = [connections + 3, process.log.length];
    const problems = new Set<string | null>();
    await until(
      'it was made anew three times',
      async () => {
        await expect(process.asks()).rejects.toThrow(LinkDown);
        problems.add(process.link.view.problem);
        return connections >= last;
      },
      60_000,
    );
    expect([...problems]).toEqual([`the Redis at 127.0.0.1:${port} does not answer in time`]);
    expect(process.log.slice(said)).toHaveLength(1);
  }, 90_000);

  it('nobody at all', async () => {
    await new RedisProcess(await freePort()).complaint(/nobody listens there/);
  });
});
