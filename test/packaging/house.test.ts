/** What keeps the sources findable: one thing to a name, small files, folders with inner walls. */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAst } from 'rolldown/parseAst';
import { Visitor } from 'rolldown/utils';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const LONGEST_FILE = 400;
const FULLEST_FOLDER = 13;

function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((file) => !/\/(?:fixtures|listing)\//.test(file));
}

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** What a file itself defines and exports; what it only passes on is somebody else's. */
function exportedNames(file: string): string[] {
  return parseAst(read(file), { lang: 'ts' }, file).body.flatMap((node) => {
    if (node.type !== 'ExportNamedDeclaration' || node.declaration === null) return [];
    const { declaration } = node;
    const ids =
      declaration.type === 'VariableDeclaration'
        ? declaration.declarations.map(({ id }) => id)
        : 'id' in declaration
          ? [declaration.id]
          : [];
    return ids.flatMap((id) => (id?.type === 'Identifier' ? [id.name] : []));
  });
}

type Placed = readonly [word: string, place: string];

/** Words that stand in more places than so many, each with its places. */
function crowded(places: readonly Placed[], most: number): string[] {
  const byWord = new Map<string, string[]>();
  for (const [word, place] of places) byWord.set(word, [...(byWord.get(word) ?? []), place]);
  return [...byWord]
    .filter(([, all]) => all.length > most)
    .map(([word, all]) => `${word}: ${all.join(', ')}`)
    .sort();
}

const sources = filesBelow('src').filter((file) => file.endsWith('.ts'));
const code = ['src', 'lab', 'test', 'bench'].flatMap(filesBelow);

describe('in the sources', () => {
  it('no exported name stands for two things', () => {
    const names = sources.flatMap((file) =>
      exportedNames(file)
        // Every command is one, and the catalogue loads it by this name.
        .filter((name) => !(name === 'command' && file.startsWith('src/commands/')))
        .map((name): Placed => [name, file]),
    );
    expect(names.length).toBeGreaterThan(1_000);
    expect(crowded(names, 1)).toEqual([]);
  });

  it('no two files have one name, but for commands, which are called what users call them', () => {
    const names = sources
      .filter((file) => !/^src\/commands\/(?:\w+\/)?\w+\.ts$/.test(file))
      .map((file): Placed => [basename(file), file]);
    expect(names.length).toBeGreaterThan(300);
    expect(crowded(names, 1)).toEqual([]);
  });
});

describe('in the sources and what tests them', () => {
  it('no file is so long that it holds two things', () => {
    const long = code
      .filter((file) => file.endsWith('.ts') && read(file).split('\n').length > LONGEST_FILE + 1)
      .sort();
    expect(long).toEqual([]);
  });

  it('no folder is so full that nobody finds anything', () => {
    const places = code.map((file): Placed => [dirname(file), basename(file)]);
    expect(crowded(places, FULLEST_FOLDER)).toEqual([]);
  });
});

/** Calls of vitest's that give up after a second where nobody says for how long they may try. */
function impatientCalls(file: string): string[] {
  const found: string[] = [];
  new Visitor({
    CallExpression({ callee, arguments: given, start }) {
      if (callee.type !== 'MemberExpression' || given.length > 1) return;
      const { object, property } = callee;
      if (object.type !== 'Identifier' || property.type !== 'Identifier') return;
      if (
        !['vi.waitFor', 'vi.waitUntil', 'expect.poll'].includes(`${object.name}.${property.name}`)
      )
        return;
      found.push(`${file}:${read(file).slice(0, start).split('\n').length}`);
    },
  }).visit(parseAst(read(file), { lang: 'ts' }, file));
  return found;
}

describe('in the tests, and what they share', () => {
  const files = ['lab', 'test'].flatMap(filesBelow).filter((file) => file.endsWith('.ts'));

  it('whoever waits says for how long, and a busy machine may stand still for a second', () => {
    expect(files.flatMap(impatientCalls)).toEqual([]);
  });

  it('a module that several files share begins and ends nothing by being imported', () => {
    // The files of a worker share their modules: what stands there happens for the first one alone.
    const hooked = files
      .filter((file) => !file.endsWith('.test.ts'))
      .filter((file) => /^(?:before|after)(?:All|Each)\(/m.test(read(file)));
    expect(hooked).toEqual([]);
  });
});
