/** What `keypool://status` and `/api/status` show, as far as tests look into it. */

import * as z from 'zod';
import { type RawClient, resultOf } from './test-client.ts';

const LIMIT = z.looseObject({ perSecond: z.number().nullable() });
const ACCOUNT = z.looseObject({
  found: z.boolean().optional(),
  keys: z.array(z.string()),
  limits: z.array(LIMIT),
});
const SHOWN_STATUS = z.looseObject({
  providers: z.array(z.looseObject({ provider: z.string(), accounts: z.array(ACCOUNT) })),
  sharing: z.looseObject({
    state: z.string(),
    role: z.string().nullable(),
    over: z.string().nullable(),
    problem: z.string().nullable(),
    processes: z.array(z.looseObject({ client: z.string() })),
  }),
});
export type ShownStatus = z.infer<typeof SHOWN_STATUS>;

export function parseStatus(text: string): ShownStatus {
  return SHOWN_STATUS.parse(JSON.parse(text));
}

/** `keypool://status`, read now. */
export async function readStatus(client: RawClient): Promise<ShownStatus> {
  const answer = await client.request('resources/read', { uri: 'keypool://status' });
  return parseStatus(resultOf(answer).contents?.[0]?.text ?? '');
}
