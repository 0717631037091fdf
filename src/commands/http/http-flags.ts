/** The flags of whatever serves HTTP. */

import type { CommandOptions } from '../command.ts';

export const HTTP_FLAGS = {
  host: {
    type: 'string',
    value: 'ADDRESS',
    about: 'where to listen (127.0.0.1); any other address needs KEYPOOL_HTTP_TOKEN',
  },
  port: { type: 'string', value: 'NUMBER', about: 'the port (8787); 0 takes any free one' },
  'allow-host': {
    type: 'string',
    multiple: true,
    value: 'NAME',
    about: 'a further name that the server is reached by',
  },
  'allow-origin': {
    type: 'string',
    multiple: true,
    value: 'URL',
    about: 'a page whose scripts may call the server (CORS)',
  },
} as const satisfies CommandOptions;
