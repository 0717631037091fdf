/** What the configuration says about the way out. */

import type { Config } from '../../../config.ts';
import type { HttpSettings } from '../../../upstream/wire/http.ts';

/** @param onProblem told once what is wrong with the extra certificates */
export function networkOf(config: Config, onProblem: (problem: string) => void): HttpSettings {
  const { proxy, extraCaCerts } = config;
  // node trusts by itself what the environment named when it started.
  const isOurs = extraCaCerts !== null && !extraCaCerts.isKnownToNode;
  return { proxy, extraCaCerts: isOurs ? extraCaCerts.path : null, onProblem };
}
