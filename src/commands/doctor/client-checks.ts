/** Which clients know of this program. */

import { ConfigError } from '../../base/errors.ts';
import type { UserFolders } from '../../clients/client-place.ts';
import { configuredClients, userFolders } from '../../clients/install.ts';
import type { Environment } from '../../config.ts';
import { type Finding, ok } from './finding.ts';

/** Not having told any client yet is no fault; a file that cannot be read is worth a look. */
export async function checkClients(env: Environment): Promise<Finding[]> {
  let folders: UserFolders;
  try {
    folders = userFolders(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [{ check: 'clients', status: 'warn', message: error.message, hint: error.hint }];
  }
  const clients = await configuredClients(folders);
  const configured = clients.filter((client) => client.state === 'configured');
  const broken = clients.filter((client) => client.state === 'unreadable');
  const finding: Finding =
    configured.length > 0
      ? ok('clients', `configured in ${configured.map((client) => client.title).join(', ')}`)
      : {
          check: 'clients',
          status: 'warn',
          message: 'none is configured yet',
          hint: 'keypool-mcp install claude-code, or another client: keypool-mcp install --help',
        };
  return [
    finding,
    ...broken.map(
      ({ path, title }): Finding => ({
        check: 'clients',
        status: 'warn',
        message: `the settings of ${title} cannot be read (${path})`,
        hint: 'mend the file, or print the entry with keypool-mcp install CLIENT --print',
      }),
    ),
  ];
}
