/** One process that shares over a Redis, as far as the others are concerned. */

import { randomBytes } from 'node:crypto';
import { expect, onTestFinished } from 'vitest';
import { RedisServerProcess } from '../../../lab/servers/redis.ts';
import { statedRow, statement } from '../../../lab/sharing/statement.ts';
import { until } from '../../../lab/until.ts';
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

  /** One exchange, of which nobody waits for the answer but for a moment. */
  asks(more: Partial<Exchange> = {}): Promise<ExchangeAnswer> {
    this.#seq += 1;
    return this.link.exchange(statement(this.#seq, more));
  }

  /** As a busy process asks: again and again, until it is answered. */
  async says(more: Partial<Exchange> = {}): Promise<ExchangeAnswer> {
    const answers: ExchangeAnswer[] = [];
    const isAnswered = () =>
      this.asks(more).then(
        (answer) => answers.push(answer) > 0,
        () => false,
      );
    await until('it is answered', isAnswered).catch((cause: unknown) => {
      throw new Error(this.log.join(' | '), { cause });
    });
    const [answer] = answers;
    if (answer === undefined) throw new Error('no answer');
    return answer;
  }

  async wants(waiting: number, inFlight = 0): Promise<number> {
    const { grants } = await this.says({ rows: [statedRow(inFlight, waiting)] });
    return grants[0]?.share ?? 0;
  }

  /**
   * What it says of a Redis that does not do, and says no more often when it goes on asking. A
   * stall of the machine may let it speak of something else besides.
   */
  async complaint(expected: RegExp): Promise<string> {
    const said = (): string | undefined => this.log.find((line) => expected.test(line));
    await until(`it says ${expected}`, async () => {
      await expect(this.asks()).rejects.toThrow(LinkDown);
      return said() !== undefined;
    }).catch((cause: unknown) => {
      throw new Error(this.log.join(' | '), { cause });
    });
    const before = this.log.length;
    for (let i = 0; i < 20; i++) await expect(this.asks()).rejects.toThrow(LinkDown);
    expect(this.log.length - before, this.log.join()).toBeLessThanOrEqual(1);
    expect(this.link.view).toMatchObject({ isUp: false, problem: expect.any(String) });
    return said() ?? '';
  }
}
