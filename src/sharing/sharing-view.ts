/** What is shown of sharing, in `keypool://status` and wherever else. */

import type { LinkView, ProcessView } from './protocol.ts';

export interface SharingView {
  readonly state: 'up' | 'down' | 'off';
  /** Over what; null when it is off. */
  readonly over: LinkView['kind'] | null;
  /** ISO 8601: since when it is as it is; null when it is off. */
  readonly since: string | null;
  readonly role: LinkView['role'];
  /** Why it is not up; null while it is. */
  readonly problem: string | null;
  /** All that use the accounts, this one among them. */
  readonly processes: readonly ProcessView[];
}

export function offView(problem: string): SharingView {
  return { state: 'off', over: null, since: null, role: null, problem, processes: [] };
}
