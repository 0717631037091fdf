/** Several processes on accounts that limit requests per time, on virtual time. */

import type { SharedState } from '../../src/sharing/coordination/shared-state.ts';
import { inherited } from '../../src/sharing/coordination/shared-state.ts';
import { seededRandom } from '../../src/simulator/random.ts';
import { type PacedRun, type PacedScenario, runPaced } from '../pool/paced.ts';
import type { VirtualClock } from '../pool/simulation/virtual-clock.ts';
import { memberOn } from './process.ts';
import { LabCoordinator, type Weather } from './virtual-links.ts';

export interface SharedPaceOptions {
  readonly processes: number;
  readonly weather?: Weather;
  /** What an earlier coordinator left. */
  readonly inherits?: SharedState;
  /** What happens to the coordinator meanwhile. */
  readonly trouble?: (hub: LabCoordinator, clock: VirtualClock) => Promise<void>;
}

export interface SharedPaceRun extends PacedRun {
  readonly exchanges: number;
  /** What the coordinator knew at the end. */
  readonly known: SharedState;
}

export async function runSharedPace(
  scenario: PacedScenario,
  seed: number,
  { processes, weather, inherits, trouble }: SharedPaceOptions,
): Promise<SharedPaceRun> {
  const hubs: LabCoordinator[] = [];
  const begun = (clock: VirtualClock): LabCoordinator => {
    const hub = new LabCoordinator(clock, seededRandom(seed + 3_000));
    if (inherits !== undefined) hub.state = inherited(inherits, 'epoch-2');
    hubs.push(hub);
    void trouble?.(hub, clock);
    return hub;
  };
  const run = await runPaced(scenario, seed, {
    processes,
    sharing: (clock, index) => {
      const hub = hubs[0] ?? begun(clock);
      return memberOn(hub.link(`process-${index}`, weather), `client-${index}`);
    },
  });
  const [hub] = hubs;
  if (hub === undefined) throw new Error('nobody coordinated');
  return { ...run, exchanges: hub.exchanges, known: hub.state };
}
