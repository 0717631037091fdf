/** What is wrong with the configuration's files without stopping anything, said where one looks. */

import type { Logger } from '../../../base/logger.ts';
import type { Config } from '../../../config.ts';

export function logWarnings(logger: Logger, config: Config): void {
  if (config.isHomeless) {
    const next = 'set KEYPOOL_HOME or give --home';
    logger.warn('This user has no home folder: there is no key store and no settings file', {
      next,
    });
  }
  for (const { message, hint } of config.warnings) logger.warn(message, { next: hint });
}
