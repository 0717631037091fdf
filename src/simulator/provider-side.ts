/** What differs between the two providers; `server.ts` does what is the same. */

import type { Admission, RateUnits } from './behaviour.ts';
import type { SimulatedProvider } from './call-log.ts';
import type { Random } from './random.ts';
import type { Reply, Turn } from './turn.ts';
import type { WireObject } from './wire-json.ts';

export interface Route {
  /** Inference holds a slot and costs money; a lookup does neither. */
  readonly kind: 'inference' | 'lookup';
  readonly answer: (turn: Turn) => Promise<void>;
}

export type SimulatedRefusal = Exclude<Admission, { verdict: 'admitted' }>;

export interface ProviderSide {
  readonly provider: SimulatedProvider;
  readonly maxBodyBytes: number;
  readonly routeOf: (method: string, path: string) => Route | null;
  /** What the account's concurrency is counted by. */
  readonly modelOf: (body: WireObject, path: string) => string;
  /** What a request takes where requests per time are limited; null where they are not. */
  readonly unitsOf: (body: WireObject, path: string) => RateUnits | null;
  /** Sent with every answer, good or bad. */
  readonly responseHeaders: (random: Random) => Record<string, string>;
  /** @param lastFour of the unknown key; null when there is no usable header */
  readonly unknownKey: (route: Route, lastFour: string | null) => Reply;
  readonly refuse: (admission: SimulatedRefusal) => Reply;
  readonly notFound: () => Reply;
  readonly tooLarge: () => Reply;
  readonly badJson: () => Reply;
  /** What this request should never have carried. */
  readonly violationsOf: (path: string, body: WireObject) => string[];
}
