import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listenOnLoopback } from '../../../lab/servers/local-server.ts';
import {
  hasRedis,
  NO_REDIS,
  RedisServerProcess,
  startRedisCluster,
} from '../../../lab/servers/redis.ts';
import { createCertificates, createTlsFront } from '../../../lab/servers/test-certificates.ts';
import { temporaryFolder } from '../../../lab/store.ts';
import { settlesAtOnce, until } from '../../../lab/until.ts';
import { LinkDown } from '../../../src/sharing/protocol.ts';
import { RedisProcess, redis } from './redis-process.ts';

const where = (port: number) => [{ host: '127.0.0.1', port }];

describe.skipIf(!hasRedis)(`a Redis of another kind${hasRedis ? '' : `: ${NO_REDIS}`}`, () => {
  it('is named by sentinels', async () => {
    const server = await redis();
    const sentinel = await RedisServerProcess.sentinelOf(server);
    onTestFinished(() => sentinel.remove());
    const more = {
      kind: 'sentinel',
      nodes: where(sentinel.port),
      sentinelName: 'mymaster',
    } as const;
    const [one, other] = [new RedisProcess(0, more), new RedisProcess(0, more)];
    await one.says();
    expect((await other.says()).processes).toHaveLength(2);
    const stranger = new RedisProcess(0, { ...more, sentinelName: 'somebody' });
    await stranger.complaint(/sentinel/);
  });

  it('is a cluster', async () => {
    const server = await redis('--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1');
    const client = server.client();
    onTestFinished(() => client.disconnect());
    await client.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    const more = { kind: 'cluster', nodes: where(server.port) } as const;
    const [one, other] = [new RedisProcess(0, more), new RedisProcess(0, more)];
    await one.says();
    expect((await other.says()).processes).toHaveLength(2);
  });

  it('is a cluster of several masters, of which any one is named', async () => {
    const nodes = await startRedisCluster(3);
    onTestFinished(async () => {
      await Promise.all(nodes.map((node) => node.remove()));
    });
    // Every team has a key of its own, and so a master of its own.
    const masters = new Set<number>();
    for (let team = 0; team < 12; team++) {
      const secret = Buffer.alloc(32, team);
      const more = (at: number) =>
        ({ kind: 'cluster', nodes: where(nodes[at]?.port ?? 0) }) as const;
      const one = new RedisProcess(0, more(team % 3), secret);
      const other = new RedisProcess(0, more((team + 1) % 3), secret);
      await one.says();
      expect((await other.says()).processes).toHaveLength(2);
      // Nothing is wrong with it; that it is slow, on a busy machine, may be said.
      for (const said of [...one.log, ...other.log]) {
        expect(said).toMatch(/in time|cannot be reached|again/);
      }
    }
    for (const [at, node] of nodes.entries()) {
      const client = node.client();
      if ((await client.keys('kp1:*')).length > 0) masters.add(at);
      client.disconnect();
    }
    expect(masters.size).toBe(3);
  }, 60_000);

  it('is a cluster of which a master dies: whose key was there goes on alone', async () => {
    const nodes = await startRedisCluster(3);
    onTestFinished(async () => {
      await Promise.all(nodes.map((node) => node.remove()));
    });
    const [first, second] = nodes;
    const both = [first, second].map((node) => ({ host: '127.0.0.1', port: node?.port ?? 0 }));
    const process = new RedisProcess(0, { kind: 'cluster', nodes: both });
    await process.says();
    let owner: RedisServerProcess | undefined;
    for (const node of nodes) {
      const client = node.client();
      if ((await client.keys('kp1:*')).length > 0) owner = node;
      client.disconnect();
    }
    await owner?.kill();
    await until('it is said', async () => {
      await expect(process.asks()).rejects.toThrow(LinkDown);
      return process.log.length > 0;
    });
    await owner?.up();
    await process.says();
    expect(process.log.at(-1)).toContain('again');
  }, 60_000);

  it('speaks TLS, with a certificate that its owner trusts', async () => {
    const server = await redis();
    const certificates = createCertificates(temporaryFolder(), ['localhost']);
    const front = await listenOnLoopback(
      createTlsFront(certificates, `http://127.0.0.1:${server.port}`),
    );
    onTestFinished(() => front.close());
    const ca = readFileSync(certificates.caFile, 'utf8');
    const none = { ca: null, certificate: null, key: null };
    const trusting = new RedisProcess(front.port, { tls: { ...none, ca } });
    expect((await trusting.says()).processes).toHaveLength(1);
    const doubting = new RedisProcess(front.port, { tls: none });
    await doubting.complaint(/cannot be trusted/);
    const plain = new RedisProcess(server.port, { tls: none });
    await plain.complaint(/cannot be trusted|does not answer in time/);
  });

  it('is slow: nobody waits for it twice, and it is used again when it is quick', async () => {
    const server = await redis();
    let delayMs = 0;
    const slow = await listenOnLoopback(
      createServer((outside) => {
        const inside = connect(server.port, '127.0.0.1');
        outside.pipe(inside);
        inside.on('data', (chunk) => void sleep(delayMs).then(() => outside.write(chunk)));
        for (const each of [inside, outside]) each.on('error', () => {});
        outside.on('close', () => inside.destroy());
      }),
    );
    onTestFinished(() => slow.close());
    const process = new RedisProcess(slow.port);
    await process.says();
    delayMs = 800;
    const isLate = () =>
      process.asks().then(
        () => false,
        () => true,
      );
    await until('somebody waits in vain', isLate);
    expect(process.link.view.problem).toContain('does not answer in time');
    for (let i = 0; i < 6; i++) expect(await settlesAtOnce(isLate())).toBe(true);
    delayMs = 0;
    await process.says();
    expect(process.link.view.isUp).toBe(true);
  });
});
