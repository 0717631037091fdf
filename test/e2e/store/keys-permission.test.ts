/** Root may do everything, so under root the program runs as nobody. */

import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { childEnvironment, PROGRAM } from '../../../lab/program/program.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { fakeKey } from '../../../lab/store.ts';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;
const AS_NOBODY = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];

function runPlain(args: readonly string[], home: Home, input = '') {
  const [command = '', ...rest] = [
    ...(isRoot ? AS_NOBODY : []),
    process.execPath,
    PROGRAM,
    ...args,
  ];
  return spawnSync(command, rest, { env: childEnvironment(home.env), input, encoding: 'utf8' });
}

const canRun =
  process.platform !== 'win32' &&
  spawnSync(isRoot ? 'setpriv' : process.execPath, ['--version']).status === 0;

let home: Home;
const store = () => join(home.folder, 'store.json');
beforeEach(async () => {
  home = await createHome({ keys: [{ name: 'DEEPSEEK_API_KEY', secret: fakeKey() }] });
  if (!isRoot) return;
  for (const path of [dirname(home.folder), home.folder, home.tmp]) chmodSync(path, 0o755);
  chownSync(join(home.folder, '.env'), NOBODY, NOBODY);
});
afterEach(() => {
  chmodSync(home.folder, 0o700);
  home.remove();
});

describe.skipIf(!canRun)('without permission', () => {
  it('to read the store: one clear error, 3', () => {
    chmodSync(store(), isRoot ? 0o600 : 0o000);
    const { status, stdout, stderr } = runPlain(['keys', 'list'], home);
    expect(stderr).toMatch(/^keypool-mcp: error: .*no permission\nkeypool-mcp: hint: .+\n$/);
    expect([status, stdout]).toEqual([3, '']);
  });

  it('to write into its folder: one clear error, 3, and the store as it was', () => {
    chmodSync(store(), 0o644);
    if (!isRoot) chmodSync(home.folder, 0o500);
    const before = readFileSync(store());
    const commands = [
      ['keys', 'add', 'BYBIT_SECRET'],
      ['keys', 'remove', 'DEEPSEEK_API_KEY'],
      ['keys', 'rotate-master'],
    ];
    for (const args of commands) {
      const { status, stderr } = runPlain(args, home, fakeKey());
      expect(stderr).toMatch(
        /^keypool-mcp: error: cannot write .*: no permission\nkeypool-mcp: hint: .+\n$/,
      );
      expect(status).toBe(3);
    }
    expect(readFileSync(store())).toEqual(before);
    expect(runPlain(['keys', 'list'], home).status).toBe(0);
  });
});
