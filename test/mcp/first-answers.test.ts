/** The answers that are given without an SDK, beside the SDKs' own to the same requests. */

import { SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, describe, expect, it } from 'vitest';
import { LEGACY_VERSIONS } from '../../src/mcp/era.ts';
import { legacyAnswer, modernAnswer } from '../../src/mcp/first-answers.ts';
import type { JsonRpcRequest } from '../../src/mcp/json-rpc.ts';
import { openLegacyServer } from '../../src/mcp/legacy/legacy-server.ts';
import { openModernServer } from '../../src/mcp/modern/modern-server.ts';
import { fakeHost, serverOptions } from './stdio-session.ts';

type Answer = { readonly id?: unknown; readonly result?: unknown; readonly error?: unknown };
type Open = typeof openLegacyServer;

const OPTIONS = serverOptions(fakeHost());
const closers: Array<() => Promise<void>> = [];

afterAll(async () => {
  await Promise.all(closers.map((close) => close()));
});

/** Asks an SDK, past the connection that answers first. */
async function ask(open: Open, request: JsonRpcRequest): Promise<Answer> {
  const answered: { resolve: (answer: Answer) => void } = { resolve: () => {} };
  const answer = new Promise<Answer>((resolve) => {
    answered.resolve = resolve;
  });
  const server = await open(OPTIONS, (message) => answered.resolve(message));
  closers.push(() => server.close());
  server.deliver(request);
  return answer;
}

function request(method: string, params?: Record<string, unknown>): JsonRpcRequest {
  return { jsonrpc: '2.0', id: 1, method, ...(params !== undefined && { params }) };
}

const clientInfo = { name: 'client', version: '1.0', title: 'A client' };

describe('legacy first answers', () => {
  it('know the versions the SDK knows, in its order', () => {
    expect(LEGACY_VERSIONS).toEqual(SUPPORTED_PROTOCOL_VERSIONS);
  });

  it.each([
    ...[...LEGACY_VERSIONS, '1.0', '2027-01-01', ''].map((protocolVersion) =>
      request('initialize', { protocolVersion, capabilities: {}, clientInfo }),
    ),
    request('initialize', {
      protocolVersion: '2025-06-18',
      capabilities: {
        roots: { listChanged: true },
        sampling: {},
        elicitation: { form: {}, url: {} },
        experimental: { x: {} },
        extensions: { 'io.modelcontextprotocol/ui': { mimeTypes: ['text/html'] } },
      },
      clientInfo,
      _meta: { progressToken: 0 },
    }),
    request('ping'),
    request('ping', {}),
    request('tools/list'),
    request('resources/list'),
    request('resources/templates/list', {}),
    request('prompts/list'),
    request('tools/list', { _meta: { progressToken: 'a' } }),
  ])('are the SDK’s: $method %#', async (asked) => {
    const result = legacyAnswer(asked);
    expect(result).not.toBeNull();
    expect(await ask(openLegacyServer, asked)).toEqual({ jsonrpc: '2.0', id: 1, result });
  });

  it.each([
    request('initialize'),
    request('initialize', { protocolVersion: '2025-11-25', capabilities: {} }),
    request('initialize', { protocolVersion: 5, capabilities: {}, clientInfo }),
    request('initialize', { protocolVersion: 'x', capabilities: { roots: 1 }, clientInfo }),
    request('initialize', { protocolVersion: 'x', capabilities: {}, clientInfo: { name: 'x' } }),
    request('tools/list', { cursor: 'x' }),
    request('tools/list', { _meta: { progressToken: {} } }),
    request('tools/call', { name: 'perplexity_search' }),
    request('nothing/such'),
    request('toString'),
    request('resources/read', { uri: 'keypool://status' }),
  ])('are left to the SDK when a request is not plain: $method %#', (asked) => {
    expect(legacyAnswer(asked)).toBeNull();
  });
});

const envelope = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': clientInfo,
  'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } },
};

describe('modern first answers', () => {
  it.each([
    request('server/discover', { _meta: envelope }),
    request('tools/list', { _meta: { ...envelope, progressToken: 5 } }),
    request('resources/list', { _meta: envelope }),
    request('resources/templates/list', { _meta: envelope }),
    request('prompts/list', { _meta: envelope }),
    request('server/discover', {
      _meta: { ...envelope, 'io.modelcontextprotocol/clientCapabilities': {} },
    }),
  ])('are the SDK’s: $method %#', async (asked) => {
    const result = modernAnswer(asked);
    expect(result).not.toBeNull();
    expect(await ask(openModernServer, asked)).toEqual({ jsonrpc: '2.0', id: 1, result });
  });

  it.each([
    request('server/discover'),
    request('server/discover', { _meta: {} }),
    request('server/discover', {
      _meta: { ...envelope, 'io.modelcontextprotocol/protocolVersion': '2027-01-01' },
    }),
    request('server/discover', {
      _meta: { ...envelope, 'io.modelcontextprotocol/clientCapabilities': undefined },
    }),
    request('tools/list', { _meta: envelope, cursor: 'x' }),
    request('ping', { _meta: envelope }),
  ])('are left to the SDK when a request is not plain: $method %#', (asked) => {
    expect(modernAnswer(asked)).toBeNull();
  });
});
