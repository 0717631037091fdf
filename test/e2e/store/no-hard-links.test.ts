/** A home on a file system without hard links, exFAT for instance: nothing lost, nothing stuck. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { run } from '../../../lab/program/program.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { fakeKey } from '../../../lab/store.ts';

const PRELOAD = new URL('../../../lab/program/no-hard-links.mjs', import.meta.url).href;
const WRITERS = 8;

async function homeWithoutLinks(): Promise<Home> {
  const home = await createHome({ env: { NODE_OPTIONS: `--import ${PRELOAD}` } });
  onTestFinished(() => home.remove());
  const made = await run(['init'], home.env);
  expect(made.code, made.stderr).toBe(0);
  return home;
}

async function expectDone(home: Home, args: readonly string[], input = ''): Promise<void> {
  const { code, stderr } = await run(args, home.env, { input });
  expect(code, stderr).toBe(0);
}

async function namesIn(home: Home): Promise<string[]> {
  const { stdout } = await run(['keys', 'list', '--json'], home.env);
  const entries: ReadonlyArray<{ readonly name: string }> = JSON.parse(stdout);
  return entries.map(({ name }) => name).sort();
}

describe('without hard links', () => {
  it('eight writers and a new master key lose nothing, and leave nothing behind', async () => {
    const home = await homeWithoutLinks();
    const names = Array.from({ length: WRITERS }, (_, at) => `WRITER_${at}_KEY`);
    await Promise.all([
      ...names.map((name) => expectDone(home, ['keys', 'add', name], fakeKey())),
      expectDone(home, ['keys', 'rotate-master']),
    ]);
    expect(await namesIn(home)).toEqual(names);
    const left = ['.env', '.gitignore', 'store.json', 'v2-stores.json'];
    expect(readdirSync(home.folder).sort()).toEqual(left);
  });

  it('export writes a new file and replaces none, and migrate keeps the old one', async () => {
    const home = await homeWithoutLinks();
    await expectDone(home, ['keys', 'add', 'A_KEY'], fakeKey());
    const flat = join(home.folder, 'flat.json');
    await expectDone(home, ['keys', 'export', '--format', 'fernet', '--out', flat]);
    const again = await run(['keys', 'export', '--format', 'fernet', '--out', flat], home.env);
    expect(again.code).toBe(2);

    const text = readFileSync(flat, 'utf8');
    const { ino } = statSync(flat);
    await expectDone(home, ['keys', 'migrate', '--store', flat]);
    const old = readdirSync(home.folder).filter((name) => name.startsWith('flat.json.legacy-'));
    expect(old).toHaveLength(1);
    const kept = join(home.folder, old[0] ?? '');
    expect(readFileSync(kept, 'utf8')).toBe(text);
    // A file of its own: had there been links, it would be the old one under a second name.
    expect(statSync(kept).ino).not.toBe(ino);
  });
});
