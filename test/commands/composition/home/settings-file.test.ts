import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../../lab/store.ts';
import { ConfigError } from '../../../../src/base/errors.ts';
import {
  setVariable,
  withVariable,
} from '../../../../src/commands/composition/home/settings-file.ts';
import { withFileLock } from '../../../../src/disk/file-lock.ts';

describe('setting a variable in a .env text', () => {
  it.each([
    ['an empty file', '', 'A=new\n'],
    ['a file without it', '# mine\nB=1\n', '# mine\nB=1\nA=new\n'],
    ['a file without a last newline', 'B=1', 'B=1\nA=new\n'],
    ['its line, in place', 'A=old\nB=1\n', 'A=new\nB=1\n'],
    ['an empty line of it', 'A=\nB=1\n', 'A=new\nB=1\n'],
    ['export and spaces', 'export A = old\nB=1\n', 'A=new\nB=1\n'],
    [
      'two lines of it, of which the last counts',
      'A=older\nB=1\nA=old\nC=2\n',
      'B=1\nA=new\nC=2\n',
    ],
    ['CRLF', '# mine\r\nA=old\r\n', '# mine\r\nA=new\r\n'],
    ['names that only begin or end like it', 'AA=1\nBA=2\n#A=3\n', 'AA=1\nBA=2\n#A=3\nA=new\n'],
  ])('changes nothing else: %s', (_what, before, after) => {
    expect(withVariable(before, 'A', 'new')).toBe(after);
  });
});

describe('setting a variable in a file', () => {
  it('makes the file private and leaves nothing beside it', async () => {
    const path = join(temporaryFolder(), '.env');
    writeFileSync(path, 'B=1\n', { mode: 0o644 });
    await withFileLock(path, (lock) => setVariable(path, 'A', 'new', lock));
    expect(readFileSync(path, 'utf8')).toBe('B=1\nA=new\n');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(path, '..'))).toEqual(['.env']);
  });

  it('refuses a file in which the new line would be swallowed by an open quote', async () => {
    const path = join(temporaryFolder(), '.env');
    writeFileSync(path, 'B="open\nA=old\nend"\n');
    const before = readFileSync(path, 'utf8');
    const error: unknown = await withFileLock(path, (lock) =>
      setVariable(path, 'A', 'new', lock),
    ).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect(readFileSync(path, 'utf8')).toBe(before);
  });
});
