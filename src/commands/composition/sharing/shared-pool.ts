/**
 * This process among the others that use the same accounts: on one machine over the home's socket,
 * on many over a Redis; and what there is to show of it.
 */

import { createHash } from 'node:crypto';
import { ConfigError, DiskError } from '../../../base/errors.ts';
import type { Logger } from '../../../base/logger.ts';
import type { Redactor } from '../../../base/redact.ts';
import { within } from '../../../base/system/within.ts';
import type { Config } from '../../../config.ts';
import { resolveLinks } from '../../../disk/links.ts';
import { privateFolder } from '../../../disk/private-folder.ts';
import type { Sharing } from '../../../pool/sharing.ts';
import type { KeyStore } from '../../../secrets/key-store.ts';
import { idMaker } from '../../../sharing/ids.ts';
import { homeSecret } from '../../../sharing/local/home-secret.ts';
import { LocalLink } from '../../../sharing/local/local-link.ts';
import { runFolder } from '../../../sharing/local/place.ts';
import { Member } from '../../../sharing/member.ts';
import type { Link } from '../../../sharing/protocol.ts';
import type { SharingView } from '../../../sharing/sharing-view.ts';
import type { TeamLink } from '../../../usage/budgets/team/team-line.ts';
import { redisServer } from './redis-server.ts';
import { teamLink } from './team-link.ts';

/** What was found out is written down, and the others are told. */
const LEAVE_MS = 500;
const PART_OF_BUDGETS = 'until then this machine spends its part of what was left of them at most';

export interface SharedPool {
  readonly port: Sharing;
  /** Over which budgets are shared; null where all who share have one ledger. */
  readonly team: TeamLink | null;
  /** Called whenever the store was read, before the pool gets its keys. */
  useStore(store: KeyStore | null, environmentKeys: Iterable<string>): void;
  /** Hears what the client calls itself. */
  noteClient(name: string | null): void;
  /** As it is now, or was a moment ago where nobody can be asked. */
  view(): Promise<SharingView>;
  leave(): Promise<void>;
}

export interface SharedPoolOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly redactor: Redactor;
  /** What this process is called among the others; a client's name comes before it. */
  readonly title: string | null;
  /** Whether budgets are set: then it is said what becomes of them while nobody can be asked. */
  readonly hasBudgets: () => boolean;
}

/** Of a link between machines. */
interface Machines {
  readonly team: TeamLink;
  readonly onStore: (secret: Uint8Array | null) => void;
}

class LinkedPool implements SharedPool {
  readonly port: Member;
  readonly #link: Link;
  readonly #machines: Machines | null;
  #client: string | null;

  constructor(
    link: Link,
    idOf: (words: readonly string[]) => string,
    { title, logger }: SharedPoolOptions,
    machines: Machines | null = null,
  ) {
    this.#link = link;
    this.#client = title;
    this.#machines = machines;
    this.port = new Member({ link, idOf, logger, client: () => this.#client });
  }

  useStore(store: KeyStore | null, environmentKeys: Iterable<string>): void {
    this.#machines?.onStore(store?.sharingSecret ?? secretOf(environmentKeys));
  }

  get team(): TeamLink | null {
    return this.#machines?.team ?? null;
  }

  noteClient(name: string | null): void {
    this.#client = name ?? this.#client;
  }

  async view(): Promise<SharingView> {
    await this.port.refresh();
    const { kind, isUp, since, role, problem } = this.#link.view;
    return {
      state: isUp ? 'up' : 'down',
      over: kind,
      since: new Date(since).toISOString(),
      role,
      problem,
      processes: this.port.view.processes,
    };
  }

  /** A disk that hangs holds nobody up. */
  async leave(): Promise<void> {
    await within(LEAVE_MS, this.port.leave());
  }
}

/** Replicas without a store meet when they were given the same keys; without keys, nobody. */
function secretOf(keys: Iterable<string>): Buffer | null {
  const sorted = [...keys].sort();
  if (sorted.length === 0) return null;
  const hash = createHash('sha256').update('keypool sharing of environment keys');
  for (const key of sorted) hash.update(`\n${key}`);
  return hash.digest();
}

/** Another base URL is another upstream: what is known of one says nothing of the other. */
function scopeOf({ deepseekBaseUrl, perplexityBaseUrl }: Config): string {
  return `${deepseekBaseUrl} ${perplexityBaseUrl}`;
}

async function overSocket(options: SharedPoolOptions): Promise<SharedPool> {
  const { config, logger } = options;
  const folder = runFolder(config.home);
  await privateFolder(folder);
  const secret = await homeSecret(folder);
  const storePath = await resolveLinks(config.storePath);
  const id = idMaker(secret);
  const scope = scopeOf(config);
  const link = new LocalLink({ folder, secret, storePath, logger });
  link.prepare();
  return new LinkedPool(link, (words) => id(scope, ...words), options);
}

/** Loaded by those who configured it alone. */
async function overRedis(
  options: SharedPoolOptions,
  settings: NonNullable<Config['sharing']['redis']>,
): Promise<SharedPool> {
  const { config, logger, redactor, hasBudgets } = options;
  const [{ RedisAccess }, { RedisLink }] = await Promise.all([
    import('../../../sharing/redis/redis-access.ts'),
    import('../../../sharing/redis/redis-link.ts'),
  ]);
  const server = await redisServer(settings, redactor);
  let secret: Uint8Array | null = null;
  const consequences = () => (hasBudgets() ? { budgets: PART_OF_BUDGETS } : {});
  const access = new RedisAccess({ server, secret: () => secret, logger, consequences });
  // Sealed as a whole on its way: ids need no secret of their own there.
  const id = idMaker(Buffer.from('sealed'));
  const scope = scopeOf(config);
  const link = new RedisLink(access);
  link.prepare();
  return new LinkedPool(link, (words) => id(scope, ...words), options, {
    team: teamLink(access),
    onStore: (found) => {
      secret = found;
    },
  });
}

/**
 * Begins to look for the others; nothing waits for that. What keeps this process from sharing is said in
 * one line, and it goes on alone.
 *
 * @returns the reason where there is nobody to share with
 */
export async function sharedPool(options: SharedPoolOptions): Promise<SharedPool | string> {
  const { sharing } = options.config;
  try {
    return await (sharing.redis === null ? overSocket(options) : overRedis(options, sharing.redis));
  } catch (error) {
    if (!(error instanceof DiskError || error instanceof ConfigError)) throw error;
    options.logger.warn('Limits are not shared with other processes; this one goes on by itself', {
      reason: error.message,
      next: error.hint,
    });
    return error.message;
  }
}
