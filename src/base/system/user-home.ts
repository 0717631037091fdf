import { userInfo } from 'node:os';
import { isAbsolute } from 'node:path';

/**
 * The user's own folder. A HOME that is empty or relative counts as none: it would lead into the
 * working directory, which is somebody's repository.
 *
 * @param env the environment that names it
 * @returns null where there is none, as for a number without a name in a container
 */
export function userHome(
  env: Readonly<Record<string, string | undefined>>,
  platform: string,
): string | null {
  const named = platform === 'win32' ? env.USERPROFILE : env.HOME;
  if (named !== undefined && isAbsolute(named)) return named;
  try {
    const { homedir } = userInfo();
    return isAbsolute(homedir) ? homedir : null;
  } catch {
    return null;
  }
}
