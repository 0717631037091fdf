import { describe, expect, it } from 'vitest';
import { plainAccept } from '../../../src/http/endpoint/accept.ts';

const BOTH = 'application/json, text/event-stream';

describe('Accept', () => {
  it.each([
    [undefined, BOTH],
    ['', BOTH],
    ['*/*', BOTH],
    ['Text/Event-Stream,APPLICATION/JSON', BOTH],
    ['application/*, text/*;q=0.3', BOTH],
    ['application/json', 'application/json'],
    ['text/event-stream', 'text/event-stream'],
    ['text/event-stream;q=0, */*', 'application/json'],
    ['application/json;q=0.0, text/event-stream', 'text/event-stream'],
    ['text/html', ''],
    ['application/jsonp', ''],
    ['*/*;q=0', ''],
  ])('%j is read as %j', (header, plain) => {
    expect(plainAccept(header)).toBe(plain);
  });
});
