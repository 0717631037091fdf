/** What a server asks of the product, made when it is first needed. */

import { KeyStoreError } from '../../base/errors.ts';
import { VERSION } from '../../base/version.ts';
import type { Config } from '../../config.ts';
import type { KeyDesk } from '../../mcp/asking/key-desk.ts';
import type { ServerHost } from '../../mcp/server-host.ts';
import { LISTED_MODELS } from '../../upstream/deepseek/models.ts';
import type { KeyPages } from '../asking/key-pages.ts';
import type { Runtime, RuntimeOptions } from './runtime.ts';

/** The status document of `keypool://status` and `/api/status`. Never a secret. */
export type StatusDocument = Readonly<Record<string, unknown>>;

/** The runtime, imported and begun at the first call. */
export class LazyRuntime {
  readonly #options: RuntimeOptions;
  #runtime: Promise<Runtime> | null = null;

  constructor(options: RuntimeOptions) {
    this.#options = options;
  }

  get(): Promise<Runtime> {
    this.#runtime ??= import('./compose.ts').then(({ composeRuntime }) =>
      composeRuntime(this.#options),
    );
    return this.#runtime;
  }

  async close(): Promise<void> {
    const runtime = await this.#runtime;
    await runtime?.close();
  }
}

async function statusOf(runtime: Runtime, config: Config): Promise<StatusDocument> {
  const { environment, storePath: path } = config;
  const about = {
    ...runtime.snapshot(),
    sharing: await runtime.sharing(),
    version: VERSION,
    environment,
  };
  try {
    const { store } = await runtime.ready();
    return { ...about, store: { state: store === null ? 'none' : 'open', path } };
  } catch (error) {
    if (!(error instanceof KeyStoreError)) throw error;
    const { message: reason, hint: next } = error;
    return { ...about, store: { state: 'unavailable', path, reason, next } };
  }
}

/**
 * Where a call puts the question for a missing key. Nothing of it is loaded before.
 *
 * @param isLocal whoever calls sits before this machine
 */
function createKeyDesk(lazy: LazyRuntime, options: RuntimeOptions, isLocal: boolean): KeyDesk {
  let pages: Promise<KeyPages> | null = null;
  return {
    callTimeoutMs: options.config.callTimeoutMs,
    open: async (provider) => {
      if (!isLocal) return null;
      pages ??= import('../asking/key-pages.ts').then(
        ({ KeyPages }) => new KeyPages({ options, runtime: () => lazy.get() }),
      );
      return (await pages).open(provider);
    },
    advice: async (provider, missing) => {
      const { adviceFor } = await import('../asking/advice.ts');
      return adviceFor(provider, missing, options);
    },
  };
}

export interface HostOptions extends RuntimeOptions {
  /** Whoever calls sits before this machine: a page of it can be opened. Default true. */
  readonly isLocal?: boolean;
}

export interface ProductHost extends ServerHost {
  readonly keyDesk: KeyDesk;
}

/** The host of both transports. */
export function createHost(lazy: LazyRuntime, options: HostOptions): ProductHost {
  const { config, redactor, isLocal = true } = options;
  return {
    clients: async () => {
      const runtime = await lazy.get();
      await runtime.ready();
      return { deepseek: runtime.deepseek, perplexity: runtime.perplexity };
    },
    // What fails here fails again, with its reason, in the first call.
    prepare: () =>
      lazy.get().then(
        (runtime) => runtime.prepare(),
        () => {},
      ),
    keyDesk: createKeyDesk(lazy, options, isLocal),
    status: async () => statusOf(await lazy.get(), config),
    redact: (text) => redactor.redact(text),
    models: [...new Set([config.deepseekModel, ...LISTED_MODELS])],
  };
}
