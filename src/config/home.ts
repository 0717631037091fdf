/** Where the program keeps its files when nobody says so. */

import { platform } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { userHome } from '../base/system/user-home.ts';
import { type Environment, presentValue } from './environment.ts';

/** The home of a user who has none: nothing is there, and nothing can be made there, by nobody. */
export const NO_HOME = join('/', 'dev', 'null', 'keypool-mcp');

/** A relative one would lead into the working directory. */
function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}

/** The platform's configuration folder for this program; null for a user without a home. */
export function defaultHome(env: Environment): string | null {
  const system = platform();
  const user = userHome(env, system);
  const below = (...names: string[]): string | undefined =>
    user === null ? undefined : join(user, ...names);
  const folder =
    system === 'win32'
      ? (absolute(presentValue(env.APPDATA)) ?? below('AppData', 'Roaming'))
      : system === 'darwin'
        ? below('Library', 'Application Support')
        : (absolute(presentValue(env.XDG_CONFIG_HOME)) ?? below('.config'));
  return folder === undefined ? null : join(folder, 'keypool-mcp');
}
