/** What both eras' servers are made from. */

import type { Logger } from '../base/logger.ts';
import type { ServerHost } from './server-host.ts';

export interface ShellOptions {
  readonly host: ServerHost;
  readonly logger: Logger;
  /** Waiting calls take turns between sessions. */
  readonly session: string;
}
