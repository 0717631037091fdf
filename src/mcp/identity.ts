/** What the server says of itself, in every era. Light: on the way to the first answer. */

import { NAME, VERSION } from '../base/version.ts';
import { LISTED_TOOLS } from '../tools/listed.ts';

export const SERVER_INFO = { name: NAME, title: 'Keypool MCP', version: VERSION };

export const CAPABILITIES = { tools: {}, resources: {}, prompts: {}, completions: {} };

const ONE_HOUR = { ttlMs: 3_600_000, cacheScope: 'public' } as const;

/** What a client of the 2026-07-28 revision may keep: everything but the pool's state. */
export const CACHE_HINTS = {
  'server/discover': ONE_HOUR,
  'tools/list': ONE_HOUR,
  'prompts/list': ONE_HOUR,
  'resources/list': ONE_HOUR,
  'resources/templates/list': ONE_HOUR,
  'resources/read': { ttlMs: 0, cacheScope: 'private' },
} as const;

export const TOOL_LIST = LISTED_TOOLS;
