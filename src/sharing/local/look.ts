/** Looks at a home's meeting place without taking it, or leaving anything there. */

import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { purposeKey } from '../ids.ts';
import { newNonce } from '../nonce.ts';
import { CallError, LocalCaller } from './caller.ts';
import { HELLO_MS } from './hello.ts';
import { homeSecret, SECRET_NAME } from './home-secret.ts';
import { checkPlace } from './meet.ts';
import { meetingPlace, placeName } from './place.ts';

export type Seen = 'nobody' | 'somebody' | 'silent' | 'stranger';

function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/**
 * @param folder the home's `run`
 * @throws DiskError for what keeps processes from meeting there
 */
export async function lookAt(folder: string, storePath: string): Promise<Seen> {
  // Whoever starts first makes it.
  if (!(await isThere(join(folder, SECRET_NAME)))) return 'nobody';
  const secret = await homeSecret(folder);
  const place = await meetingPlace(folder, placeName(secret, storePath));
  await checkPlace(place);
  const events = { answered: () => {}, closed: () => {} };
  // A connection of ours keeps no process alive, and whoever looks has to stay for the answer.
  const stay = setTimeout(() => {}, 2 * HELLO_MS);
  try {
    const key = purposeKey(secret, 'hello');
    const caller = await LocalCaller.call(place.socket, key, newNonce(), events);
    caller.close();
    return 'somebody';
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    return error.failure === 'closed' ? 'silent' : error.failure;
  } finally {
    clearTimeout(stay);
  }
}
