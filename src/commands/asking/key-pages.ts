/**
 * The pages that are open for missing keys: one for each provider, however many calls wait for it,
 * each for ten minutes and for one use.
 */

import { mkdtemp, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConfigError, PROVIDER_NAMES, type Provider } from '../../base/errors.ts';
import { type Config, loadConfig } from '../../config.ts';
import type { KeyPageAbout } from '../../http/key-page/key-page-html.ts';
import { openKeyPage } from '../../http/key-page/key-page-server.ts';
import { builtPageFolder } from '../../http/page-files.ts';
import type { KeyPage } from '../../mcp/asking/key-desk.ts';
import type { Runtime, RuntimeOptions } from '../composition/runtime.ts';
import { addCommand } from './advice.ts';
import { takeKeys } from './take-keys.ts';

const OPEN_MS = 10 * 60_000;

/** Where each provider gives out keys. */
const KEYS_URLS: Readonly<Record<Provider, string>> = {
  deepseek: 'https://platform.deepseek.com/api_keys',
  perplexity: 'https://www.perplexity.ai/account/api/keys',
};

export interface KeyPagesOptions {
  readonly options: RuntimeOptions;
  readonly runtime: () => Promise<Runtime>;
}

/** The first on the way up that is there, folder or not. */
async function existingPath(path: string): Promise<string> {
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  return isThere || dirname(path) === path ? path : existingPath(dirname(path));
}

/**
 * Nobody shall type a key for a store that cannot take it. Tried, because permissions alone do not
 * tell: a disk may be full or read-only, and root is allowed everything.
 */
async function canStore({ isHomeless, storePath }: Config): Promise<boolean> {
  if (isHomeless) return false;
  const folder = await existingPath(dirname(storePath));
  return mkdtemp(join(folder, '.keypool-'))
    .then(rmdir)
    .then(
      () => true,
      () => false,
    );
}

/** One page and the calls that wait for it. */
class SharedPage implements KeyPage {
  readonly id = crypto.randomUUID().slice(0, 8);
  readonly openedAt = performance.now();
  readonly url: string;
  readonly #close: () => void;
  readonly #ended: Promise<boolean>;
  readonly #over = new AbortController();
  #end: (isTaken: boolean) => void = () => {};
  #waiting = 0;

  constructor(url: string, close: () => void) {
    this.url = url;
    this.#close = close;
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    setTimeout(() => this.end(false), OPEN_MS).unref();
  }

  async wait(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    this.#waiting++;
    const stop = new AbortController();
    const over = new Promise<boolean>((resolve) => {
      signal.addEventListener('abort', () => resolve(false), { signal: stop.signal });
    });
    const isTaken = await Promise.race([this.#ended, over]);
    stop.abort();
    this.#waiting--;
    return isTaken;
  }

  refuse(): void {
    if (this.#waiting === 0) this.end(false);
  }

  end(isTaken: boolean): void {
    this.#over.abort();
    this.#end(isTaken);
    this.#close();
  }

  /** Fires when nobody needs the page any more. */
  get over(): AbortSignal {
    return this.#over.signal;
  }
}

/** Keys come by other ways, too: a terminal, the dashboard, the page of another server. */
async function followKeys(page: SharedPage, provider: Provider, runtime: Runtime): Promise<void> {
  let before: ReadonlySet<string> | null = null;
  await runtime.untilKeys((keys) => {
    const ours = keys.filter((key) => key.provider === provider).map(({ secret }) => secret);
    before ??= new Set(ours);
    const known = before;
    return ours.some((secret) => !known.has(secret));
  }, page.over);
  page.end(true);
}

function aboutPage(provider: Provider, { config, flags, env }: RuntimeOptions): KeyPageAbout {
  const environment =
    config.environment === null ? '' : `, the store of the environment ${config.environment}`;
  return {
    provider: PROVIDER_NAMES[provider],
    keysUrl: KEYS_URLS[provider],
    place: `${config.storePath}${environment}`,
    command: addCommand(provider, { config, flags, env }),
  };
}

export class KeyPages {
  readonly #options: KeyPagesOptions;
  readonly #pages = new Map<Provider, Promise<SharedPage | null>>();

  constructor(options: KeyPagesOptions) {
    this.#options = options;
  }

  /** @returns null where no key could be stored */
  async open(provider: Provider): Promise<KeyPage | null> {
    const before = this.#pages.get(provider);
    const open = await before?.catch(() => null);
    // Another call may have opened the next one while this one looked.
    if (this.#pages.get(provider) !== before) return this.open(provider);
    if (open !== undefined && open !== null && !open.over.aborted) return open;
    const opening = this.#open(provider);
    this.#pages.set(provider, opening);
    return opening;
  }

  async #open(provider: Provider): Promise<SharedPage | null> {
    const { options, runtime } = this.#options;
    const { flags, env, logger, redactor } = options;
    try {
      if (!(await canStore(loadConfig(flags, env)))) {
        logger.info('No page for the missing key: its store could not be written');
        return null;
      }
      const running = await runtime();
      const taker = { provider, options, runtime: running };
      const { url, close } = await openKeyPage({
        about: aboutPage(provider, options),
        take: async (text) => {
          const taken = await takeKeys(taker, text);
          if (taken.ok) page.end(true);
          return taken;
        },
        openMs: OPEN_MS,
        pageFolder: builtPageFolder(),
        redact: (text) => redactor.redact(text),
        logger,
      });
      const page = new SharedPage(url, close);
      void followKeys(page, provider, running);
      logger.info(`A page on this machine takes a ${PROVIDER_NAMES[provider]} key`, {
        openMs: OPEN_MS,
      });
      return page;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      logger.warn('No page for the missing key', { reason: error.message, next: error.hint });
      return null;
    }
  }
}
