import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { statedRow, statement } from '../../../lab/sharing/statement.ts';
import { temporaryFolder } from '../../../lab/store.ts';
import { PATIENT, settlesAtOnce, until } from '../../../lab/until.ts';
import { createLogger } from '../../../src/base/logger.ts';
import { Redactor } from '../../../src/base/redact.ts';
import { LocalLink } from '../../../src/sharing/local/local-link.ts';
import { placeName } from '../../../src/sharing/local/place.ts';
import { type Exchange, type ExchangeAnswer, LinkDown } from '../../../src/sharing/protocol.ts';

const secret = randomBytes(32);
const cleanups: Array<() => Promise<void>> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** One process, as far as the others are concerned. */
class Process {
  readonly link: LocalLink;
  readonly log: string[] = [];
  #seq = 0;

  constructor(folder: string, storePath = '/store.json') {
    const logger = createLogger({
      level: 'info',
      redactor: new Redactor(),
      write: (line) => void this.log.push(JSON.parse(line).reason ?? JSON.parse(line).msg),
    });
    this.link = new LocalLink({ folder, secret, storePath, logger });
    cleanups.push(() => this.link.leave());
  }

  /** Once, and within the time that anybody waits. */
  tries(more: Partial<Exchange> = {}): Promise<ExchangeAnswer> {
    this.#seq += 1;
    return this.link.exchange(statement(this.#seq, more));
  }

  /** Until it is heard: a busy machine may let nobody answer for longer than anybody waits. */
  async says(more: Partial<Exchange> = {}): Promise<ExchangeAnswer> {
    for (const endsAt = performance.now() + PATIENT.timeout; ; await sleep(5)) {
      const answer = await this.tries(more).catch(() => null);
      if (answer !== null) return answer;
      if (performance.now() > endsAt) throw new Error('nobody answers');
    }
  }

  /** How many of four slots it may use that wants so many. */
  async wants(waiting: number, inFlight = 0): Promise<number> {
    const { grants } = await this.says({ rows: [statedRow(inFlight, waiting)] });
    return grants[0]?.share ?? 0;
  }

  get role(): string | null {
    return this.link.view.role;
  }
}

async function together(count: number): Promise<{ folder: string; all: Process[] }> {
  const folder = temporaryFolder();
  const all = Array.from({ length: count }, () => new Process(folder));
  for (const each of all) await each.says();
  return { folder, all };
}

const byRole = (all: readonly Process[], role: string): Process[] =>
  all.filter((each) => each.role === role);

describe('processes of one home', () => {
  it('find each other and share an account', async () => {
    const { all } = await together(3);
    const [first, second, third] = all;
    expect(all.map(({ role }) => role)).toEqual(['coordinator', 'member', 'member']);
    await first?.wants(9);
    await second?.wants(9);
    const shares = [await third?.wants(1), await second?.wants(9), await first?.wants(9)];
    const sum = shares.reduce((total: number, share = 0) => total + share, 0);
    expect(sum).toBeLessThanOrEqual(4);
  });

  it('all at once, too: one coordinates', async () => {
    const folder = temporaryFolder();
    const all = Array.from({ length: 4 }, () => new Process(folder));
    await Promise.all(all.map((each) => each.tries().catch(() => null)));
    await until('all are there', () => all.every(({ role }) => role !== null));
    expect(byRole(all, 'coordinator')).toHaveLength(1);
  });

  it('show each other by name, also when they have long said nothing', async () => {
    const { all } = await together(2);
    await all[0]?.says({ client: 'cursor' });
    const answer = await all[1]?.says({ client: 'claude-code' });
    expect(answer?.processes.map(({ client }) => client)).toEqual(['cursor', 'claude-code']);
    expect(answer?.processes.map(({ isSelf }) => isSelf)).toEqual([false, true]);
  });

  it('of two stores never meet', async () => {
    const folder = temporaryFolder();
    const staging = new Process(folder, '/store.staging.json');
    const production = new Process(folder, '/store.json');
    await staging.says();
    const { processes } = await production.says();
    expect(processes).toHaveLength(1);
  });
});

describe('a process that leaves', () => {
  it('gives everything back', async () => {
    const { all } = await together(2);
    expect(await all[1]?.wants(9)).toBeGreaterThan(0);
    await all[1]?.link.leave();
    let left = 2;
    for (let i = 0; i < 100 && left > 1; i++) {
      await sleep(5);
      left = (await all[0]?.says())?.processes.length ?? 0;
    }
    expect(left).toBe(1);
    await expect(all[1]?.tries()).rejects.toThrow(LinkDown);
  });

  it('and coordinated is followed by another, who hears what everybody has', async () => {
    const { all } = await together(3);
    const [first, second, third] = all;
    await second?.wants(0, 2);
    await third?.wants(0, 1);
    await first?.link.leave();
    const rest = [second, third].flatMap((each) => each ?? []);
    await until('another coordinates', () => byRole(rest, 'coordinator').length === 1);
    await until('all are there again', () => rest.every(({ link }) => link.view.isUp));
    let seen: number[] = [];
    for (let i = 0; i < 200 && seen.length < 2; i++) {
      await sleep(5);
      const answer = await second?.says({ rows: [statedRow(2)] });
      seen = answer?.processes.map(({ inFlight }) => inFlight) ?? [];
    }
    // The third has said nothing since: its last words were said again for it.
    expect(seen.sort()).toEqual([1, 2]);
  });

  it('leaves what it found out to the next one, and nothing else', async () => {
    const folder = temporaryFolder();
    const first = new Process(folder);
    await first.says({
      rows: [statedRow(1)],
      reports: [
        { number: 1, report: { kind: 'out', id: 'dead-key', checks: 0, checkInMs: 60_000 } },
      ],
    });
    await first.link.leave();
    const path = join(folder, `${placeName(secret, '/store.json')}.json`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const next = new Process(folder);
    const { facts, processes, grants } = await next.says({ rows: [statedRow(0, 1)] });
    expect(facts).toMatchObject([{ id: 'dead-key', isOut: true }]);
    expect(processes).toHaveLength(1);
    expect(grants[0]?.limit.capacity).toBe(4);
  });

  it.each([
    ['half a file', '{"format":"keypool-sharing","savedAt":1,"sta'],
    ['another file', '{"format":"something","savedAt":1}'],
    ['nonsense in it', '{"format":"keypool-sharing","savedAt":1,"state":{"lanes":7}}'],
  ])('cannot be believed when there is %s', async (_what, text) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, `${placeName(secret, '/store.json')}.json`), text);
    const { facts } = await new Process(folder).says();
    expect(facts).toEqual([]);
  });
});

describe('trouble', () => {
  it('with the place is said once, and nothing waits for it', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, `${placeName(secret, '/store.json')}.sock`));
    const process = new Process(folder);
    await expect(process.tries()).rejects.toThrow(LinkDown);
    await until('it is said', () => process.log.length > 0);
    await expect(process.tries()).rejects.toThrow(LinkDown);
    expect(process.log).toHaveLength(1);
    expect(process.log[0]).toContain('is no socket of this user');
    expect(process.link.view).toMatchObject({ isUp: false, problem: process.log[0] });
  });

  it('with a stranger at the place leaves him alone', async () => {
    const folder = temporaryFolder();
    const path = join(folder, `${placeName(secret, '/store.json')}.sock`);
    const stranger = createServer((socket) => {
      socket.on('error', () => {});
      socket.end('220 mail.example ESMTP\r\n');
    });
    await new Promise<void>((resolve) => stranger.listen(path, resolve));
    cleanups.push(async () => void stranger.close());
    const process = new Process(folder);
    await expect(process.tries()).rejects.toThrow(LinkDown);
    await until('it is said', () => process.log.length > 0);
    expect(process.log[0]).toContain('another program answers');
    expect(statSync(path).isSocket()).toBe(true);
  });

  it('with the folder, taken away while all run, is mended by itself', async () => {
    const { folder, all } = await together(3);
    rmSync(join(folder, `${placeName(secret, '/store.json')}.sock`));
    const late = new Process(folder);
    await late.tries().catch(() => null);
    await until('the first one joins the others', () => {
      const everybody = [...all, late];
      const isUp = everybody.every(({ link }) => link.view.isUp);
      return isUp && byRole(everybody, 'coordinator').length === 1;
    });
    const answers = await Promise.all([...all, late].map((each) => each.says()));
    expect(Math.max(...answers.map(({ processes }) => processes.length))).toBe(4);
  });

  it('keeps nobody waiting for more than a moment, once', async () => {
    const folder = temporaryFolder();
    const path = join(folder, `${placeName(secret, '/store.json')}.sock`);
    const silent = createServer((socket) => void socket.on('error', () => {}));
    await new Promise<void>((resolve) => silent.listen(path, resolve));
    cleanups.push(async () => void silent.close());
    const process = new Process(folder);
    const tries = () => process.tries().catch(() => null);
    const startedAt = performance.now();
    await tries();
    expect(performance.now() - startedAt).toBeGreaterThan(40);
    for (let i = 0; i < 3; i++) expect(await settlesAtOnce(tries())).toBe(true);
    await until('the place is taken', () => process.role === 'coordinator');
    expect((await process.says()).processes).toHaveLength(1);
  });

  it('with the home secret shows nowhere in what is written', async () => {
    const folder = temporaryFolder();
    const process = new Process(folder);
    await process.says();
    await process.link.leave();
    const text = readFileSync(join(folder, `${placeName(secret, '/store.json')}.json`), 'utf8');
    expect(text).not.toContain(secret.toString('base64url'));
    expect(text).not.toContain(secret.toString('hex'));
  });
});
