/**
 * A process that shares, until somebody kills it: says every few milliseconds that it has one call
 * and wants another, and prints a line whenever its place among the others changes. Bundled and run
 * by the test and the benchmark of kills.
 *
 * argv: the folder, the home's secret in base64url
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger } from '../../src/base/logger.ts';
import { LocalLink } from '../../src/sharing/local/local-link.ts';
import { statedRow, statement } from './statement.ts';

const [folder = '', secret = ''] = process.argv.slice(2);
const EVERY_MS = 10;

const link = new LocalLink({
  folder,
  secret: Buffer.from(secret, 'base64url'),
  storePath: '/store.json',
  logger: silentLogger,
});

let isLeaving = false;
let said = '';
process.on('SIGTERM', () => {
  isLeaving = true;
});

for (let seq = 1; !isLeaving; seq++) {
  const answer = await link
    .exchange(statement(seq, { rows: [statedRow(1, 1)], client: String(process.pid) }))
    .catch(() => null);
  const line = JSON.stringify({
    role: answer === null ? null : link.view.role,
    processes: answer?.processes.length ?? 0,
    held: answer?.processes.reduce((sum, { share }) => sum + share, 0) ?? 0,
  });
  if (line !== said) process.stdout.write(`${line}\n`);
  said = line;
  await sleep(EVERY_MS);
}
await link.leave();
