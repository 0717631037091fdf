/** What both eras' servers are made from. */

import type { Logger } from '../logger.ts';
import type { ServerHost } from './host.ts';

export interface ShellOptions {
  readonly host: ServerHost;
  readonly logger: Logger;
  /** Waiting calls take turns between sessions. */
  readonly session: string;
}
