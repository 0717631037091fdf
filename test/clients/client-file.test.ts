import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../lab/store.ts';
import { readClientFile, replaceClientFile } from '../../src/clients/client-file.ts';

const now = new Date('2026-11-25T12:00:00.000Z');

describe('a file of another program', () => {
  it('keeps its mode, and the copy made of it is for its owner alone', async () => {
    const path = join(temporaryFolder(), 'settings.json');
    writeFileSync(path, 'old');
    chmodSync(path, 0o640);
    const backup = await replaceClientFile(await readClientFile(path), 'new', now);
    expect(backup).toBe(`${path}.2026-11-25.bak`);
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(readFileSync(backup ?? '', 'utf8')).toBe('old');
    expect([path, backup ?? ''].map((file) => statSync(file).mode & 0o777)).toEqual([0o640, 0o600]);
  });

  it('has one copy a day: the first', async () => {
    const path = join(temporaryFolder(), 'settings.json');
    writeFileSync(path, '1');
    await replaceClientFile(await readClientFile(path), '2', now);
    const second = await replaceClientFile(await readClientFile(path), '3', now);
    expect(second).toBe(`${path}.2026-11-25.bak`);
    expect(readFileSync(`${path}.2026-11-25.bak`, 'utf8')).toBe('1');
    const later = new Date('2026-11-26T12:00:00.000Z');
    await replaceClientFile(await readClientFile(path), '4', later);
    expect(readFileSync(`${path}.2026-11-26.bak`, 'utf8')).toBe('3');
  });

  it('is never copied into a linked folder, which may be a repository', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'dotfiles'));
    symlinkSync('dotfiles', join(folder, 'config'));
    const path = join(folder, 'config', 'settings.json');
    writeFileSync(path, 'old');
    const before = await readClientFile(path, join(folder, 'spare'));
    const backup = await replaceClientFile(before, 'new', now);
    expect(backup).toBe(join(folder, 'spare', 'settings.json.2026-11-25.bak'));
    expect(readdirSync(join(folder, 'dotfiles'))).toEqual(['settings.json']);
  });

  it('is made with its folder, for its owner alone', async () => {
    const path = join(temporaryFolder(), 'new', 'folder', 'settings.json');
    expect(await replaceClientFile(await readClientFile(path), 'text', now)).toBeNull();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);
  });

  it('is written where its link points, even when nothing is there yet', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'dotfiles'));
    const target = join(folder, 'dotfiles', 'config.toml');
    symlinkSync('dotfiles/config.toml', join(folder, 'config.toml'));
    await replaceClientFile(await readClientFile(join(folder, 'config.toml')), 'a = 1\n', now);
    expect(readFileSync(target, 'utf8')).toBe('a = 1\n');
    await replaceClientFile(await readClientFile(join(folder, 'config.toml')), 'a = 2\n', now);
    expect(readFileSync(target, 'utf8')).toBe('a = 2\n');
    expect(readdirSync(folder)).toEqual(['config.toml', 'config.toml.2026-11-25.bak', 'dotfiles']);
    expect(readdirSync(join(folder, 'dotfiles'))).toEqual(['config.toml']);
  });

  it('keeps its byte order mark', async () => {
    const path = join(temporaryFolder(), 'settings.json');
    writeFileSync(path, '\uFEFF{}');
    const before = await readClientFile(path);
    expect(before.text).toBe('{}');
    await replaceClientFile(before, '{"a":1}', now);
    expect(readFileSync(path, 'utf8')).toBe('\uFEFF{"a":1}');
  });

  it('is left alone when somebody else wrote it meanwhile', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'settings.json');
    writeFileSync(path, 'old');
    const before = await readClientFile(path);
    writeFileSync(path, 'theirs');
    await expect(replaceClientFile(before, 'ours', now)).rejects.toThrow(/changed by another/);
    expect(readFileSync(path, 'utf8')).toBe('theirs');
    expect(readdirSync(folder)).toEqual(['settings.json']);
  });

  it('is refused when it is a folder, a circle of links or not UTF-8', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'a'));
    symlinkSync('loop', join(folder, 'loop'));
    writeFileSync(join(folder, 'utf16'), Buffer.from([0xff, 0xfe, 0x7b, 0x00]));
    await expect(readClientFile(join(folder, 'a'))).rejects.toThrow(
      /is a folder, not a file; nothing/,
    );
    await expect(readClientFile(join(folder, 'loop'))).rejects.toThrow(/leads in a circle/);
    await expect(readClientFile(join(folder, 'utf16'))).rejects.toThrow(/not UTF-8/);
  });
});
