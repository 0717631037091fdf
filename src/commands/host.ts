/**
 * What the server asks for, made when it is first asked: a client gets its handshake before the
 * store is opened, and a server without a store or a key says what to do and recovers without a
 * restart once it is done.
 */

import { existsSync } from 'node:fs';
import type { Config, Environment, GlobalFlags } from '../config.ts';
import { KeyStoreError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { PoolObserver } from '../pool/observer.ts';
import type { Redactor } from '../redact.ts';
import { VERSION } from '../version.ts';
import type { Runtime } from './compose.ts';

export interface LazyRuntimeOptions {
  readonly flags: GlobalFlags;
  readonly env: Environment;
  /** As read at start; read again when opening failed, since `init` may have run meanwhile. */
  readonly config: Config;
  readonly logger: Logger;
  readonly redactor: Redactor;
  readonly observer?: PoolObserver;
}

/** The status document of `keypool://status` and `/api/status`. Never a secret. */
export type StatusDocument = Readonly<Record<string, unknown>>;

export class LazyRuntime {
  readonly #options: LazyRuntimeOptions;
  #config: Config;
  #opening: Promise<Runtime> | null = null;
  #failed = false;

  constructor(options: LazyRuntimeOptions) {
    this.#options = options;
    this.#config = options.config;
  }

  get config(): Config {
    return this.#config;
  }

  /**
   * The runtime; opened once, and again after a failure or when a store has appeared beside keys
   * of the environment.
   *
   * @throws KeyStoreError, ConfigError
   */
  async get(): Promise<Runtime> {
    this.#opening ??= this.#open();
    try {
      const runtime = await this.#opening;
      if (runtime.store !== null || !existsSync(this.#config.storePath)) return runtime;
    } catch (error) {
      this.#opening = null;
      this.#failed = true;
      throw error;
    }
    // Calls in flight finish on the old runtime; nothing holds it after them.
    this.#opening = this.#open();
    return this.#opening;
  }

  async status(): Promise<StatusDocument> {
    const { environment, storePath } = this.#config;
    const about = { version: VERSION, environment };
    try {
      const runtime = await this.get();
      const state = runtime.store === null ? 'none' : 'open';
      return { ...runtime.snapshot(), ...about, store: { state, path: storePath } };
    } catch (error) {
      if (!(error instanceof KeyStoreError)) throw error;
      return {
        takenAt: new Date().toISOString(),
        providers: [],
        ...about,
        store: {
          state: 'unavailable',
          path: storePath,
          reason: error.message,
          next: error.hint,
        },
      };
    }
  }

  /** Ends what runs; calls in flight are rejected. */
  async close(): Promise<void> {
    const runtime = await this.#opening?.catch(() => null);
    runtime?.close();
  }

  async #open(): Promise<Runtime> {
    const { flags, env, logger, redactor, observer } = this.#options;
    const { composeRuntime } = await import('./compose.ts');
    if (this.#failed) {
      const { loadConfig } = await import('../config.ts');
      this.#config = loadConfig(flags, env);
    }
    const master = this.#config.masterKey.value?.text;
    if (master !== undefined) redactor.add(master);
    const runtime = await composeRuntime({
      config: this.#config,
      logger,
      redactor,
      watch: true,
      ...(observer === undefined ? {} : { observer }),
    });
    this.#failed = false;
    return runtime;
  }
}
