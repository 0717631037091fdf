/** Resources: the state of the pool, as an assistant or a person may ask for it. */

import type { ServerHost } from './server-host.ts';

export const STATUS_URI = 'keypool://status';

export const RESOURCES = [
  {
    uri: STATUS_URI,
    name: 'status',
    title: 'Key pool status',
    description: 'Keys, breakers, scores, limits and queues of the pool. Never a secret.',
    mimeType: 'application/json',
  },
];

export interface ResourceText {
  [key: string]: unknown;
  uri: string;
  mimeType: string;
  text: string;
}

/** @returns null for an address that is not ours */
export async function readResource(uri: string, host: ServerHost): Promise<ResourceText[] | null> {
  if (uri !== STATUS_URI) return null;
  const text = JSON.stringify(await host.status(), null, 2);
  return [{ uri, mimeType: 'application/json', text }];
}
