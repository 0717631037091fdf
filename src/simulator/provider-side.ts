/** What differs between the two providers; `server.ts` does what is the same. */

import type { Admission } from './behaviour.ts';
import type { SimulatedProvider } from './call-log.ts';
import type { JsonObject } from './json.ts';
import type { Random } from './random.ts';
import type { Reply, Turn } from './turn.ts';

export interface Route {
  /** Inference holds a slot and costs money; a lookup does neither. */
  readonly kind: 'inference' | 'lookup';
  readonly answer: (turn: Turn) => Promise<void>;
}

export type Refusal = Exclude<Admission, { verdict: 'admitted' }>;

export interface ProviderSide {
  readonly provider: SimulatedProvider;
  readonly maxBodyBytes: number;
  readonly routeOf: (method: string, path: string) => Route | null;
  /** What the account's concurrency is counted by. */
  readonly modelOf: (body: JsonObject, path: string) => string;
  /** Rate-limit units that a request takes. */
  readonly unitsOf: (body: JsonObject, path: string) => number;
  /** Sent with every answer, good or bad. */
  readonly responseHeaders: (random: Random) => Record<string, string>;
  /** @param lastFour of the unknown key; null when there is no usable header */
  readonly unknownKey: (route: Route, lastFour: string | null) => Reply;
  readonly refuse: (admission: Refusal) => Reply;
  readonly notFound: () => Reply;
  readonly tooLarge: () => Reply;
  readonly badJson: () => Reply;
  /** What this request should never have carried. */
  readonly violationsOf: (path: string, body: JsonObject) => string[];
}
