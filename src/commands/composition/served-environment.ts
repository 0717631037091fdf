/** The store and pool that the HTTP server serves at the moment; the page may choose another one. */

import { readdir } from 'node:fs/promises';
import { ConfigError } from '../../base/errors.ts';
import { type Config, loadConfig } from '../../config.ts';
import type { Environments } from '../../http/api/admin.ts';
import type { ServerHost } from '../../mcp/server-host.ts';
import type { PoolSnapshot } from '../../pool/snapshot.ts';
import { openConfiguredStore } from './keys/open-store.ts';
import { createHost, type HostOptions, LazyRuntime, type ProductHost } from './lazy-runtime.ts';
import type { Runtime, RuntimeOptions } from './runtime.ts';

const STORE_FILE = /^store(?:\.([A-Za-z0-9][A-Za-z0-9_-]{0,31}))?\.json$/;
const IDLE_CHECK_MS = 250;

interface Served {
  readonly options: HostOptions;
  readonly runtime: LazyRuntime;
  readonly host: ProductHost;
}

function serve(options: HostOptions): Served {
  const runtime = new LazyRuntime(options);
  return { options, runtime, host: createHost(runtime, options) };
}

function isIdle({ providers }: PoolSnapshot): boolean {
  return providers.every(
    ({ queueDepth, keys }) => queueDepth === 0 && keys.every(({ inFlight }) => inFlight === 0),
  );
}

export class ServedEnvironment {
  #served: Served;

  constructor(options: HostOptions) {
    this.#served = serve(options);
  }

  get config(): Config {
    return this.#served.options.config;
  }

  get redactor(): RuntimeOptions['redactor'] {
    return this.#served.options.redactor;
  }

  runtime(): Promise<Runtime> {
    return this.#served.runtime.get();
  }

  /** Always the environment that is served when it is asked. */
  host(onToolCall: NonNullable<ServerHost['onToolCall']>): ServerHost {
    return {
      clients: () => this.#served.host.clients(),
      status: () => this.#served.host.status(),
      redact: (text) => this.#served.host.redact(text),
      onToolCall,
      keyDesk: {
        callTimeoutMs: this.config.callTimeoutMs,
        open: (provider) => this.#served.host.keyDesk.open(provider),
        advice: (provider, missing) => this.#served.host.keyDesk.advice(provider, missing),
      },
      models: this.#served.host.models,
    };
  }

  async list(): Promise<Environments> {
    const { config, flags } = this.#served.options;
    const names = await readdir(config.home).catch(() => []);
    const found = names.flatMap((name) => {
      const match = STORE_FILE.exec(name);
      return match === null ? [] : [match[1] ?? null];
    });
    const available = [...new Set([config.environment, ...found])].sort((a, b) =>
      (a ?? '').localeCompare(b ?? ''),
    );
    return { current: config.environment, available, canChoose: flags.store === undefined };
  }

  /**
   * Serves another environment from here on. Its store is opened first; calls in flight and those
   * that wait finish on the pool they came to.
   *
   * @throws ConfigError, KeyStoreError; the environment stays as it was
   */
  async choose(environment: string | null): Promise<void> {
    const { options } = this.#served;
    if (options.flags.store !== undefined) {
      throw new ConfigError('the store of this server was named with --store', {
        hint: 'start it without --store to choose among environments',
      });
    }
    const { environment: _before, ...flags } = options.flags;
    const next = {
      ...options,
      flags: environment === null ? flags : { ...flags, environment },
      env: { ...options.env, KEYPOOL_ENVIRONMENT: undefined },
    };
    const config = loadConfig(next.flags, next.env);
    if (config.environment !== environment) {
      throw new ConfigError('the settings file names an environment', {
        hint: 'take KEYPOOL_ENVIRONMENT out of it to serve the store without a name',
      });
    }
    await openConfiguredStore(config);
    const before = this.#served;
    this.#served = serve({ ...next, config });
    void retire(before);
  }

  async close(): Promise<void> {
    await this.#served.runtime.close();
  }
}

/** Closes a pool when its last call is over. */
async function retire({ runtime, options }: Served): Promise<void> {
  try {
    const { snapshot } = await runtime.get();
    const isOver = (): boolean => isIdle(snapshot());
    while (!isOver()) {
      await new Promise((resolve) => setTimeout(resolve, IDLE_CHECK_MS).unref());
    }
    await runtime.close();
  } catch (error) {
    options.logger.error('The environment served before did not close', { error });
  }
}
