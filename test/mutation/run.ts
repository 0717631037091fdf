/**
 * Mutation testing, room by room: every mutant of a room is held against that room's tests, and one
 * line says how many were killed. Ends with 1 when fewer than 80 % are in any. What survived is shown
 * by build/mutants/ROOM.html.
 *
 *   npm run mutate [-- WORD]     the rooms whose names hold the word
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type MutatedRoom, ROOMS } from './rooms.ts';

const STRYKER = fileURLToPath(new URL('../../node_modules/.bin/stryker', import.meta.url));
const SETTINGS = 'test/mutation/stryker.json';
const REPORTS = 'build/mutants';

const Report = z.object({
  files: z.record(z.string(), z.object({ mutants: z.array(z.object({ status: z.string() })) })),
});

/** As Stryker counts: static mutants, and those that do not run at all, are left out. */
function figureOf(json: string): string {
  const statuses = Object.values(Report.parse(JSON.parse(json)).files).flatMap(({ mutants }) =>
    mutants.map(({ status }) => status),
  );
  const count = (...which: readonly string[]): number =>
    statuses.filter((status) => which.includes(status)).length;
  const killed = count('Killed', 'Timeout');
  const all = killed + count('Survived', 'NoCoverage');
  return `${((100 * killed) / all).toFixed(1)} % (${killed} of ${all} mutants killed)`;
}

interface Outcome {
  readonly line: string;
  readonly isCaught: boolean;
}

function mutate({ name, sources, tests }: MutatedRoom): Outcome {
  // Outside of the repository: a run that was stopped leaves copies of tests behind.
  const sandbox = mkdtempSync(join(tmpdir(), 'keypool-mutants-'));
  mkdirSync(REPORTS, { recursive: true });
  rmSync('build/mutation.json', { force: true });
  const options = ['--mutate', sources.join(','), '--tempDirName', sandbox];
  const { status } = spawnSync(STRYKER, ['run', SETTINGS, ...options], {
    stdio: 'inherit',
    env: { ...process.env, MUTATION_TESTS: tests.join(',') },
  });
  rmSync(sandbox, { recursive: true, force: true });
  try {
    const figure = figureOf(readFileSync('build/mutation.json', 'utf8'));
    renameSync('build/mutation.html', join(REPORTS, `${name.replace(/[^a-zA-Z]+/g, '-')}.html`));
    return { line: `${name}: ${figure}`, isCaught: status === 0 };
  } catch {
    return { line: `${name}: no figure, the run came to no end`, isCaught: false };
  }
}

const [word = ''] = process.argv.slice(2);
const rooms = ROOMS.filter(({ name }) => name.includes(word));
if (rooms.length === 0) {
  console.error(`no room has ${word} in its name: ${ROOMS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
const outcomes = rooms.map(mutate);
console.log('');
for (const { line, isCaught } of outcomes) console.log(isCaught ? line : `${line}: not enough`);
process.exitCode = outcomes.every(({ isCaught }) => isCaught) ? 0 : 1;
