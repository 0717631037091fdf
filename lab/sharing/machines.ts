/** Machines of a team: each has a home of its own, with a copy of one store, and all meet at a Redis. */

import { cpSync, mkdtempSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Variables } from '../program/program.ts';
import type { Home } from '../program/test-home.ts';

/** The environment of one more machine; it goes with the home that it is a copy of. */
export function machineOf(
  { env, folder }: Home,
  redisUrl: string,
  more: Variables = {},
): Variables {
  const copy = join(mkdtempSync(join(dirname(folder), 'machine-')), 'home');
  cpSync(folder, copy, { recursive: true });
  return { ...env, KEYPOOL_HOME: copy, KEYPOOL_REDIS_URL: redisUrl, ...more };
}
