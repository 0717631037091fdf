/** What the server says of itself, in every era. Light: on the way to the first answer. */

import { LISTED_TOOLS } from '../tools/listed.ts';
import { NAME, VERSION } from '../version.ts';

export const SERVER_INFO = { name: NAME, title: 'Keypool MCP', version: VERSION };

export const CAPABILITIES = { tools: {}, resources: {} };

export const TOOL_LIST = LISTED_TOOLS;
