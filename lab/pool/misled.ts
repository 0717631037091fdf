/** A pool that was told, as if by another process, that all its keys are one account. */

import type { Participant, Sharing } from '../../src/pool/sharing.ts';
import type { VirtualClock } from './simulation/virtual-clock.ts';

/** Its first word is wrong where the keys are of several accounts; afterwards nobody is there. */
export function misledOn(clock: VirtualClock): Sharing {
  const owners = new Set<string>();
  return {
    idOf: (...words) => {
      const id = words.join(' ');
      if (words.includes('own')) owners.add(id);
      return id;
    },
    join: (participant: Participant) => {
      const nothing = { grants: [], unheard: [], facts: [], speeds: [], trials: [], processes: 1 };
      void clock.sleep(0).then(() => {
        const ids = [...owners].filter((id) => id.startsWith(participant.provider));
        if (ids.length > 1) participant.hear({ ...nothing, joined: [ids] });
      });
      return { isShared: false, report: () => {}, ask: () => {} };
    },
    leave: () => Promise.resolve(),
  };
}
