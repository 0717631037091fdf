import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../../lab/store.ts';
import { homeId } from '../../../../src/usage/budgets/team/home-id.ts';

async function several(folder: string): Promise<Set<string>> {
  return new Set(await Promise.all(Array.from({ length: 8 }, () => homeId(folder))));
}

describe('the name of a home', () => {
  it('is one for all who ask at once, and the same later', async () => {
    const folder = join(temporaryFolder(), 'usage');
    const [name, ...others] = await several(folder);
    expect(others).toEqual([]);
    expect(name).toMatch(/^[\w-]{22}$/);
    expect(await homeId(folder)).toBe(name);
  });

  it('is one for all where somebody has made the file and not written to it yet', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'home-id'), '');
    const [name, ...others] = await several(folder);
    expect(others).toEqual([]);
    expect(readFileSync(join(folder, 'home-id'), 'utf8')).toBe(`${name}\n`);
  });

  it.skipIf(process.platform === 'win32')('is made anew where a pipe stands', async () => {
    const folder = temporaryFolder();
    spawnSync('mkfifo', [join(folder, 'home-id')]);
    expect((await several(folder)).size).toBe(1);
  });

  it('is of the process alone where nothing can be kept', async () => {
    const folder = join(temporaryFolder(), 'a-file');
    writeFileSync(folder, '');
    expect((await several(folder)).size).toBe(8);
  });
});
