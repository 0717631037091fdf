/** The flags that every command takes. */

import { LOG_LEVELS } from '../../base/logger.ts';
import type { GlobalFlags } from '../../config.ts';
import type { CommandOptions } from '../command.ts';

export const GLOBAL_OPTIONS = {
  home: { type: 'string', value: 'DIR', about: 'the folder of this program (KEYPOOL_HOME)' },
  store: { type: 'string', value: 'FILE', about: 'the key store (KEYPOOL_STORE)' },
  dotenv: { type: 'string', value: 'FILE', about: 'the settings file instead of DIR/.env' },
  environment: {
    type: 'string',
    value: 'NAME',
    about: 'use the store of this environment (KEYPOOL_ENVIRONMENT)',
  },
  'log-level': {
    type: 'string',
    value: 'LEVEL',
    about: `${LOG_LEVELS.join(', ')} (KEYPOOL_LOG_LEVEL)`,
    choices: LOG_LEVELS,
  },
  help: { type: 'boolean', short: 'h', about: 'show this help' },
  version: { type: 'boolean', short: 'v', about: 'show the version (also -V)' },
} as const satisfies CommandOptions;

/** @param values as parsed; absent flags stay absent */
export function globalFlagsOf(values: Readonly<Record<string, unknown>>): GlobalFlags {
  const text = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === 'string' ? value : undefined;
  };
  const flags = {
    home: text('home'),
    store: text('store'),
    dotenv: text('dotenv'),
    environment: text('environment'),
    logLevel: text('log-level'),
  };
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
}
