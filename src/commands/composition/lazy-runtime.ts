/** What a server asks of the product, made when it is first needed. */

import { KeyStoreError } from '../../base/errors.ts';
import { VERSION } from '../../base/version.ts';
import type { Config } from '../../config.ts';
import type { ServerHost } from '../../mcp/server-host.ts';
import { LISTED_MODELS } from '../../upstream/deepseek/models.ts';
import type { Runtime, RuntimeOptions } from './compose.ts';

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
    sharing: runtime.sharing(),
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

/** The host of both transports. */
export function createHost(lazy: LazyRuntime, options: RuntimeOptions): ServerHost {
  const { config, redactor } = options;
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
    status: async () => statusOf(await lazy.get(), config),
    redact: (text) => redactor.redact(text),
    models: [...new Set([config.deepseekModel, ...LISTED_MODELS])],
  };
}
