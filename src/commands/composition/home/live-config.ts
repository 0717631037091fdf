/** The configuration while a server runs: read anew in this one place. */

import { isDeepStrictEqual } from 'node:util';
import { ConfigError } from '../../../base/errors.ts';
import type { Logger } from '../../../base/logger.ts';
import { type Config, type Environment, type GlobalFlags, loadConfig } from '../../../config.ts';

export interface LiveConfigOptions {
  /** As it was at the start. */
  readonly config: Config;
  readonly flags: GlobalFlags;
  readonly env: Environment;
  readonly logger: Logger;
}

/** All but the keys, which alone are taken while a server runs. */
function fixedAtStart({ masterKey, environmentKeys, warnings, ...fixed }: Config) {
  return fixed;
}

export class LiveConfig {
  readonly #options: LiveConfigOptions;
  #current: Config;
  #lastProblem = '';

  constructor(options: LiveConfigOptions) {
    this.#options = options;
    this.#current = options.config;
  }

  /** What is in force: read at the start, or by the last `refresh`. */
  get current(): Config {
    return this.#current;
  }

  /**
   * Reads the settings file anew. One that is broken just now, as it is while somebody edits it,
   * is reported once for each reason, and what was in force stays. Never throws.
   *
   * @returns the same object while nothing has changed
   */
  refresh(): Config {
    const { flags, env, logger } = this.#options;
    try {
      const config = loadConfig(flags, env);
      if (!isDeepStrictEqual(config, this.#current)) this.#take(config);
      this.#lastProblem = '';
    } catch (error) {
      const isOurs = error instanceof ConfigError;
      const reason = isOurs ? error.message : 'the settings cannot be read';
      if (reason !== this.#lastProblem) {
        const details = isOurs ? { reason, next: error.hint } : { reason, error };
        logger.error('The settings changed and cannot be used; those before stay', details);
      }
      this.#lastProblem = reason;
    }
    return this.#current;
  }

  #take(config: Config): void {
    const { config: first, logger } = this.#options;
    const fixed = fixedAtStart(config);
    const isOther = [this.#current, first].every(
      (known) => !isDeepStrictEqual(fixed, fixedAtStart(known)),
    );
    if (isOther) {
      logger.warn('The settings changed: keys are taken at once, all else at the next start');
    }
    this.#current = config;
  }
}
