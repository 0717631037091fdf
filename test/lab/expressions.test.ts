import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { expressionsIn } from '../../lab/expressions.ts';
import { temporaryFolder } from '../../lab/store.ts';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));
const all = expressionsIn(SRC);

/** Made from names of ours, anchored, and used on one line of a file of the user's own. */
const MADE = [
  'clients/toml-format.ts',
  'commands/composition/home/settings-file.ts',
  // Its spellings share one piece; test/importing holds hostile lines against them.
  'importing/assignments.ts',
];

describe('the regular expressions of the sources', () => {
  it('are never worse than linear, whatever text they are used on', () => {
    expect(all.filter((each) => each.slow.length > 0)).toEqual([]);
  });

  it('are written down, so that they can be checked', () => {
    const made = all.filter((each) => each.isMade).map(({ file }) => file);
    expect([...new Set(made)].sort()).toEqual(MADE);
  });

  it('are all found', () => {
    expect(all.length).toBeGreaterThan(200);
  });
});

describe('the checker', () => {
  it('finds what takes quadratic or exponential time, and leaves the rest alone', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'below'));
    const lines = [
      'export const a = /^a+a+$/;',
      'export const b = /x*$/;',
      'export const c = /^(?:a+)*$/;',
      'export const d = /^[a-z]+=[0-9]+$/;',
      'export const e = new RegExp(a.source);',
    ];
    writeFileSync(join(folder, 'below', 'one.ts'), lines.join('\n'));
    const found = expressionsIn(folder).map(({ source, isMade, slow }) => [source, isMade, slow]);
    expect(found).toEqual([
      ['/^a+a+$/', false, ['Trade']],
      ['/x*$/', false, ['Move']],
      ['/^(?:a+)*$/', false, ['Self, exponential']],
      ['/^[a-z]+=[0-9]+$/', false, []],
      ['new RegExp(a.source)', true, []],
    ]);
  });
});
