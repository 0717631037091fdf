import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import type { Leg } from '../../src/mcp/stdio/leg.ts';
import { Router } from '../../src/mcp/stdio/router.ts';

const LEG: Leg = { deliver: () => {}, close: async () => {} };

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'test', version: '1' },
  },
} as const;
const DISCOVER = {
  jsonrpc: '2.0',
  id: 2,
  method: 'server/discover',
  params: {
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  },
} as const;

function createRouter(): { readonly router: Router; readonly opened: string[]; sent: object[] } {
  const opened: string[] = [];
  const sent: object[] = [];
  const open = (era: string) => async (): Promise<Leg> => {
    opened.push(era);
    return LEG;
  };
  const router = new Router({
    open: { legacy: open('legacy'), modern: open('modern') },
    send: (message) => void sent.push(message),
    logger: silentLogger,
  });
  return { router, opened, sent };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the router', () => {
  it('answers the first request without an SDK and opens it when the client falls silent', async () => {
    const { router, opened, sent } = createRouter();
    router.request(INITIALIZE);
    expect(sent).toHaveLength(1);
    expect(opened).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(opened).toEqual(['legacy']);
  });

  it('opens the era of the last answer alone when a client races both', async () => {
    const { router, opened, sent } = createRouter();
    router.request(INITIALIZE);
    router.request(DISCOVER);
    expect(sent).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(opened).toEqual(['modern']);
  });

  it('opens nothing for a client that has left', async () => {
    const { router, opened } = createRouter();
    router.request(INITIALIZE);
    await router.close();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(opened).toEqual([]);
  });
});
