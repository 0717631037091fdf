import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { unknownClient } from '../../src/mcp/client-facts.ts';
import type { EraServer } from '../../src/mcp/server-host.ts';
import { Connection } from '../../src/mcp/stdio/connection.ts';

const SERVER: EraServer = { deliver: () => {}, close: async () => {} };

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

interface Opened {
  readonly connection: Connection;
  readonly eras: string[];
  readonly sent: unknown[];
  readonly say: (message: object) => void;
}

function openConnection(): Opened {
  const eras: string[] = [];
  const sent: unknown[] = [];
  const open = (era: string) => async (): Promise<EraServer> => {
    eras.push(era);
    return SERVER;
  };
  const writer = {
    send: (message: unknown) => void sent.push(message),
    flush: () => {},
    pending: 0,
    whenBelow: () => Promise.resolve(),
  };
  const connection = new Connection({
    open: { legacy: open('legacy'), modern: open('modern') },
    writer,
    logger: silentLogger,
    client: unknownClient(),
  });
  const input = new PassThrough();
  connection.readFrom(input);
  const say = (message: object) => void input.emit('data', `${JSON.stringify(message)}\n`);
  return { connection, eras, sent, say };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a connection', () => {
  it('answers the first request without an SDK and opens it when the client falls silent', async () => {
    const { say, eras, sent } = openConnection();
    say(INITIALIZE);
    expect(sent).toHaveLength(1);
    expect(eras).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(eras).toEqual(['legacy']);
  });

  it('opens the era of the last answer alone when a client races both', async () => {
    const { say, eras, sent } = openConnection();
    say(INITIALIZE);
    say(DISCOVER);
    expect(sent).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(eras).toEqual(['modern']);
  });

  it('opens nothing for a client that has left', async () => {
    const { connection, say, eras } = openConnection();
    say(INITIALIZE);
    await connection.close();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(eras).toEqual([]);
  });
});
