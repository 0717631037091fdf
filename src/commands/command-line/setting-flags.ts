/**
 * The settings that decide which store is opened, as flags: a desktop program does not see the
 * shell's variables, nor a person's shell those that the client gave its server.
 */

import { resolve } from 'node:path';
import { type Environment, type GlobalFlags, presentValue } from '../../config.ts';

/** No key and no master key is ever among them. */
export function settingFlags(flags: GlobalFlags, env: Environment): string[] {
  const path = (value: string | undefined): string | undefined =>
    value === undefined ? undefined : resolve(value);
  const environment =
    flags.environment ?? (flags.store ? undefined : presentValue(env.KEYPOOL_ENVIRONMENT));
  const store = flags.store ?? (flags.environment ? undefined : presentValue(env.KEYPOOL_STORE));
  const values: Array<[string, string | undefined]> = [
    ['--home', path(flags.home ?? presentValue(env.KEYPOOL_HOME))],
    ['--store', path(store)],
    ['--dotenv', path(flags.dotenv)],
    ['--environment', environment],
    ['--log-level', flags.logLevel],
  ];
  return values.flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]));
}
