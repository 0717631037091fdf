import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { temporaryFolder } from '../../../lab/store.ts';
import { PATIENT } from '../../../lab/until.ts';
import { type LedgerEntry, lineOf, parseLine } from '../../../src/usage/ledger/entry.ts';
import { Ledger } from '../../../src/usage/ledger/ledger.ts';
import { readLedger } from '../../../src/usage/ledger/read-ledger.ts';

const AT = Date.parse('2026-11-27T12:00:00Z');
const ALL = { since: 0, until: Date.parse('2100-01-01T00:00:00Z') };

function entry(id: string, changes: Partial<LedgerEntry> = {}): LedgerEntry {
  return {
    id,
    sentAt: AT - 1500,
    endedAt: AT,
    provider: 'deepseek',
    model: 'deepseek-flash',
    keyName: 'DEEPSEEK_API_KEY',
    keyId: 'abc123',
    account: 'main',
    tool: 'deepseek_generate_code',
    client: 'test-client',
    outcome: 'ok',
    promptTokens: 100,
    cachedTokens: 64,
    completionTokens: 50,
    reasoningTokens: null,
    usd: { estimate: 0.002, least: 0.001, most: 0.002, offPeak: 0.001 },
    cny: null,
    period: 'perhaps',
    isPerhaps: true,
    pricesRead: '2026-11-27',
    ...changes,
  };
}

function openLedger(home: string, now = () => AT) {
  const troubles: unknown[] = [];
  const ledger = new Ledger({ home, now, onTrouble: (error) => troubles.push(error) });
  return { ledger, troubles };
}

async function read(home: string) {
  const count = { unreadable: 0 };
  const entries: LedgerEntry[] = [];
  for await (const each of readLedger(join(home, 'usage'), ALL, count)) entries.push(each);
  return { entries, ids: entries.map(({ id }) => id), unreadable: count.unreadable };
}

const NOVEMBER = ['usage', 'ledger-2026-11.jsonl'] as const;

describe('the ledger', () => {
  it('reads back what was written, in a file for its owner alone', async () => {
    const home = join(temporaryFolder(), 'not-there-yet');
    const { ledger } = openLedger(home);
    const entries = [entry('a'), entry('b', { usd: null, period: null, isPerhaps: false })];
    for (const each of entries) void ledger.append(each);
    ledger.close();
    expect((await read(home)).entries).toEqual(entries);
    expect(statSync(join(home, ...NOVEMBER)).mode & 0o777).toBe(0o600);
    expect(statSync(join(home, 'usage')).mode & 0o777).toBe(0o700);
  });

  it('puts a line into the month in which its attempt ended, in UTC', async () => {
    const home = temporaryFolder();
    const { ledger } = openLedger(home);
    for (const at of ['2026-11-30T23:59:59.999Z', '2026-12-01T00:00:00Z', '2028-02-29T12:00:00Z']) {
      void ledger.append(entry(at, { endedAt: Date.parse(at), sentAt: Date.parse(at) - 60_000 }));
    }
    ledger.close();
    expect(readdirSync(join(home, 'usage')).sort()).toEqual([
      'ledger-2026-11.jsonl',
      'ledger-2026-12.jsonl',
      'ledger-2028-02.jsonl',
    ]);
    expect((await read(home)).ids).toHaveLength(3);
  });

  it('removes what is older than thirteen months, and nothing else', async () => {
    const home = temporaryFolder();
    mkdirSync(join(home, 'usage'));
    const names = [
      'ledger-2025-09.jsonl',
      'ledger-2025-10.jsonl',
      'ledger-2025-9.jsonl',
      'notes.txt',
    ];
    for (const name of names) writeFileSync(join(home, 'usage', name), 'x');
    const { ledger } = openLedger(home);
    void ledger.append(entry('a'));
    ledger.close();
    const kept = () => names.filter((name) => existsSync(join(home, 'usage', name)));
    await expect.poll(kept, PATIENT).toEqual(names.slice(1));
  });

  it.each([
    ['a stump', lineOf(entry('torn')).slice(0, 100)],
    ['a whole line without its end', lineOf(entry('whole'))],
    ['zeros, as a power cut leaves them', '\0'.repeat(200)],
    ['a binary file', '\u00ff\u0001"{['],
  ])('goes on behind %s', async (_, stump) => {
    const home = temporaryFolder();
    mkdirSync(join(home, 'usage'));
    writeFileSync(join(home, ...NOVEMBER), stump);
    const { ledger } = openLedger(home);
    void ledger.append(entry('next'));
    ledger.close();
    const { ids, unreadable } = await read(home);
    expect(ids).toEqual(stump.endsWith('}') ? ['whole', 'next'] : ['next']);
    expect(unreadable).toBe(stump.endsWith('}') ? 0 : 1);
  });

  it('loses a line that was torn while others write, and none of theirs', async () => {
    const home = temporaryFolder();
    const { ledger } = openLedger(home);
    await ledger.append(entry('one'));
    // Another process is killed in the middle of its line.
    appendFileSync(join(home, ...NOVEMBER), lineOf(entry('torn')).slice(0, 90));
    void ledger.append(entry('two'));
    ledger.close();
    expect(await read(home)).toMatchObject({ ids: ['one', 'two'], unreadable: 1 });
  });

  it('skips foreign lines, lines of a later version and endless ones, each alone', async () => {
    const home = temporaryFolder();
    mkdirSync(join(home, 'usage'));
    const future = lineOf(entry('future')).replace('"v":1', '"v":2');
    const lines = [
      '# note',
      lineOf(entry('a')),
      future,
      '[]',
      'null',
      '{"v":1}',
      'x'.repeat(200_000),
      lineOf(entry('b')),
    ];
    writeFileSync(join(home, ...NOVEMBER), lines.map((line) => `${line}\r\n`).join(''));
    expect(await read(home)).toMatchObject({ ids: ['a', 'b'], unreadable: 6 });
  });

  it('cannot be written: says so once, keeps the lines and writes them later', async () => {
    const home = temporaryFolder();
    // A file stands where the folder should be; root may do anything but that.
    writeFileSync(join(home, 'usage'), '');
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const { ledger, troubles } = openLedger(home);
    for (const id of ['a', 'b', 'c']) {
      await ledger.append(entry(id));
      vi.advanceTimersByTime(5_000);
    }
    expect(troubles).toHaveLength(1);
    unlinkSync(join(home, 'usage'));
    void ledger.append(entry('d'));
    ledger.close();
    expect(troubles).toEqual([expect.anything(), null]);
    expect((await read(home)).ids).toEqual(['a', 'b', 'c', 'd']);
  });

  it('is tried again two seconds later, also by a clock that was set back meanwhile', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const home = temporaryFolder();
    writeFileSync(join(home, 'usage'), '');
    let now = AT;
    const { ledger } = openLedger(home, () => now);
    await ledger.append(entry('a'));
    unlinkSync(join(home, 'usage'));
    now -= 3_600_000;
    ledger.settle();
    expect((await read(home)).ids).toEqual([]);
    vi.advanceTimersByTime(2_000);
    ledger.settle();
    expect((await read(home)).ids).toEqual(['a']);
  });

  it('starts a new file when somebody removed the old one', async () => {
    const home = temporaryFolder();
    const { ledger } = openLedger(home);
    await ledger.append(entry('a'));
    unlinkSync(join(home, ...NOVEMBER));
    void ledger.append(entry('b'));
    ledger.close();
    expect((await read(home)).ids).toEqual(['b']);
  });

  it('writes nothing of a text that would end its line', () => {
    const names = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(names, names, (client, account) => {
        const line = lineOf(entry('a', { client, account }));
        expect(line).not.toMatch(/[\n\r]/);
        expect(parseLine(line).entries[0]).toMatchObject({ client, account });
        // Whatever is cut off and followed by a whole line, that line is read, and only lines.
        const glued = line.slice(0, line.length - 1 - (client.length % 40)) + lineOf(entry('b'));
        expect(parseLine(glued).entries.map(({ id }) => id)).toEqual(['b']);
      }),
    );
  });
});
