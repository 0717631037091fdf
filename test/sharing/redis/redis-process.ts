/** One process that shares over a Redis, as far as the others are concerned. */

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';
import { RedisServerProcess } from '../../../lab/servers/redis.ts';
import { statedRow, statement } from '../../../lab/sharing/statement.ts';
import { createLogger } from '../../../src/base/logger.ts';
import { Redactor } from '../../../src/base/redact.ts';
import { type Exchange, type ExchangeAnswer, LinkDown } from '../../../src/sharing/protocol.ts';
import { RedisAccess } from '../../../src/sharing/redis/redis-access.ts';
import type { RedisServer } from '../../../src/sharing/redis/redis-connection.ts';
import { RedisLink } from '../../../src/sharing/redis/redis-link.ts';

const SECRET = randomBytes(32);

/** A real server that goes with the test. */
export async function redis(...args: string[]): Promise<RedisServerProcess> {
  const server = await RedisServerProcess.start(args);
  onTestFinished(() => server.remove());
  return server;
}

export class RedisProcess {
  readonly link: RedisLink;
  readonly log: string[] = [];
  #seq = 0;

  constructor(port: number, more: Partial<RedisServer> = {}, secret: Uint8Array = SECRET) {
    const logger = createLogger({
      level: 'info',
      redactor: new Redactor(),
      write: (line) => void this.log.push(JSON.parse(line).reason ?? JSON.parse(line).msg),
    });
    const server: RedisServer = {
      kind: 'single',
      nodes: [{ host: '127.0.0.1', port }],
      user: null,
      password: null,
      sentinelName: null,
      database: 0,
      tls: null,
      ...more,
    };
    this.link = new RedisLink(new RedisAccess({ server, secret: () => secret, logger }));
    onTestFinished(() => this.link.leave());
  }

  says(more: Partial<Exchange> = {}): Promise<ExchangeAnswer> {
    this.#seq += 1;
    return this.link.exchange(statement(this.#seq, more));
  }

  async wants(waiting: number, inFlight = 0): Promise<number> {
    const { grants } = await this.says({ rows: [statedRow(inFlight, waiting)] });
    return grants[0]?.share ?? 0;
  }

  /** As a busy process asks: again and again, until it is answered. */
  async isAnswered(patienceMs = 8_000): Promise<ExchangeAnswer> {
    const endsAt = performance.now() + patienceMs;
    for (;;) {
      const answer = await this.says().catch(() => null);
      if (answer !== null) return answer;
      if (performance.now() > endsAt) throw new Error(`never answered: ${this.log.join(' | ')}`);
      await sleep(50);
    }
  }

  /** What it says, once, of a Redis that does not do. */
  async complaint(): Promise<string> {
    for (let i = 0; i < 100 && this.log.length === 0; i++) {
      await expect(this.says()).rejects.toThrow(LinkDown);
      await sleep(20);
    }
    await expect(this.says()).rejects.toThrow(LinkDown);
    expect(this.log).toHaveLength(1);
    expect(this.link.view).toMatchObject({ isUp: false, problem: this.log[0] });
    return this.log[0] ?? '';
  }
}
