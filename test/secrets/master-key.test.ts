import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { masterOf, temporaryFolder } from '../../lab/store.ts';
import { KeyStoreError } from '../../src/base/errors.ts';
import {
  checkStrength,
  classifyMasterKey,
  generateMasterKey,
  readMasterKey,
} from '../../src/secrets/master-key.ts';

function problem(act: () => unknown): KeyStoreError {
  try {
    act();
  } catch (error) {
    if (error instanceof KeyStoreError) return error;
  }
  throw new Error('expected a KeyStoreError');
}

const fileSource = (path: string) => ({
  value: null,
  file: { variable: 'MASTER_ENCRYPTION_KEY_FILE', file: null, path },
  command: null,
});

function keyFile(text: string, mode = 0o600): string {
  const path = join(temporaryFolder(), 'master');
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

describe('a generated master key', () => {
  it('is typed, and different every time', () => {
    const [one, other] = [generateMasterKey(), generateMasterKey()];
    expect(one).toMatch(/^kpm1_[A-Za-z0-9_-]{43}[A-Za-z0-9_-]{6}$/);
    expect(one).not.toBe(other);
    expect(classifyMasterKey(one, 'a test').kind).toBe('generated');
  });

  it('is called mistyped, not wrong, with any one character changed, missing or doubled', () => {
    const key = generateMasterKey();
    for (let at = 0; at < key.length; at++) {
      const other = key[at] === 'x' ? 'y' : 'x';
      const slips = [
        key.slice(0, at) + other + key.slice(at + 1),
        key.slice(0, at) + key.slice(at + 1),
        key.slice(0, at) + key[at] + key.slice(at),
      ];
      for (const slip of slips) {
        const error = problem(() => classifyMasterKey(slip, 'the settings'));
        expect(error.code).toBe('bad_master');
        expect(error.message).toContain('typing error');
        expect(`${error.message} ${error.hint}`).not.toContain(key.slice(6, 14));
      }
    }
  });
});

describe('a passphrase', () => {
  it('may be short for a file that exists, and not for a new one', () => {
    const short = classifyMasterKey('pw', 'a test');
    expect(short.kind).toBe('passphrase');
    expect(problem(() => checkStrength(short)).code).toBe('bad_master');
    expect(() => checkStrength(classifyMasterKey('sixteen letters!', 'a test'))).not.toThrow();
  });
});

describe('where the master key comes from', () => {
  const codeOf = (promise: Promise<unknown>) =>
    promise.then(
      () => 'read',
      (error: unknown) => (error instanceof KeyStoreError ? error.code : 'another error'),
    );

  it('reads a file, whatever its line ending', async () => {
    const master = await readMasterKey(fileSource(keyFile('\uFEFFcorrect horse battery\r\n')));
    expect(master.text).toBe('correct horse battery');
  });

  it.each([
    [
      'a file that others can read',
      () => fileSource(keyFile('correct horse battery', 0o644)),
      'bad_master',
    ],
    [
      'a file that the group can read',
      () => fileSource(keyFile('correct horse battery', 0o640)),
      'bad_master',
    ],
    ['an empty file', () => fileSource(keyFile('\n')), 'bad_master'],
    ['a missing file', () => fileSource('/nowhere/master'), 'bad_master'],
    ['a folder', () => fileSource(temporaryFolder()), 'bad_master'],
    ['a large file', () => fileSource(keyFile('x'.repeat(5000))), 'bad_master'],
    ['nothing', () => ({ value: null, file: null, command: null }), 'no_master'],
    [
      'two at a time',
      () => ({ ...masterOf('one of two'), file: fileSource('/nowhere').file }),
      'bad_master',
    ],
  ])('refuses %s', async (_what, source, code) => {
    expect(await codeOf(readMasterKey(source()))).toBe(code);
  });

  it('refuses a settings file that others can read', async () => {
    const path = keyFile('MASTER_ENCRYPTION_KEY=correct horse battery', 0o604);
    const value = { variable: 'MASTER_ENCRYPTION_KEY', file: path, text: 'correct horse battery' };
    expect(await codeOf(readMasterKey({ value, file: null, command: null }))).toBe('bad_master');
  });
});
