/** Resources: the state of the pool, and what a result had to cut. */

import type { ServerOptions } from './server-host.ts';

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

/** @returns null for an address that is not ours, or no longer */
export async function readResource(
  uri: string,
  { host, results }: Pick<ServerOptions, 'host' | 'results'>,
): Promise<ResourceText[] | null> {
  if (uri === STATUS_URI) {
    const text = JSON.stringify(await host.status(), null, 2);
    return [{ uri, mimeType: 'application/json', text }];
  }
  const text = results.read(uri);
  return text === null ? null : [{ uri, mimeType: 'text/plain', text }];
}
