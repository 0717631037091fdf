/** One process of several: a real pool with a real member, on the virtual clock. */

import { createHash } from 'node:crypto';
import { silentLogger } from '../../src/base/logger.ts';
import { Member } from '../../src/sharing/member.ts';
import type { Link } from '../../src/sharing/protocol.ts';

/** As opaque as the real ones; here nobody has to be kept from guessing. */
function idOf(words: readonly string[]): string {
  return createHash('sha256').update(words.join('\n')).digest('base64url').slice(0, 22);
}

export function memberOn(link: Link, client: string): Member {
  return new Member({ link, logger: silentLogger, idOf, client: () => client });
}
