/**
 * Mutation testing, room by room: every mutant of a room is held against that room's tests. Ends
 * with 1 when fewer than 80 % are killed in any.
 *
 *   npm run mutate [-- WORD]     the rooms whose names hold the word
 */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type MutatedRoom, ROOMS } from './rooms.ts';

const STRYKER = fileURLToPath(new URL('../../node_modules/.bin/stryker', import.meta.url));
const SETTINGS = 'test/mutation/stryker.json';

function isCaught({ name, sources, tests }: MutatedRoom): boolean {
  console.log(`\n## ${name}\n`);
  const { status } = spawnSync(STRYKER, ['run', SETTINGS, '--mutate', sources.join(',')], {
    stdio: 'inherit',
    env: { ...process.env, MUTATION_TESTS: tests.join(',') },
  });
  return status === 0;
}

const [word = ''] = process.argv.slice(2);
const rooms = ROOMS.filter(({ name }) => name.includes(word));
if (rooms.length === 0) {
  console.error(`no room has ${word} in its name: ${ROOMS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
const missed = rooms.filter((room) => !isCaught(room)).map(({ name }) => name);
console.log(missed.length === 0 ? '\nevery room is caught' : `\nnot enough: ${missed.join(', ')}`);
process.exitCode = missed.length === 0 ? 0 : 1;
