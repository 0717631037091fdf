/** Protocol revision 2026-07-28: the v2 SDK's low-level server over the one table. */

import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  isJSONRPCNotification,
  isJSONRPCRequest,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  Server,
  type Transport,
  UnsupportedProtocolVersionError,
} from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { TOOLS } from '../../tools/index.ts';
import { callTool } from '../call-tool.ts';
import { clientName, saysItOpensPages } from '../client-facts.ts';
import { claimedVersion, MODERN_VERSION } from '../era.ts';
import { CACHE_HINTS, CAPABILITIES, SERVER_INFO, TOOL_LIST } from '../identity.ts';
import { errorReply, INVALID_PARAMS, type JsonRpcRequest } from '../json-rpc.ts';
import { completionOf, PROMPTS, promptOf } from '../prompts.ts';
import { RESOURCES, readResource } from '../resources.ts';
import type { EraServer, SendMessage, ServerOptions } from '../server-host.ts';
import { badParams } from './judge-params.ts';
import { personBehind } from './person-behind.ts';

function serveTools(server: Server, options: ServerOptions): void {
  server.setRequestHandler('tools/list', () => ({ tools: [...TOOL_LIST] }));
  server.setRequestHandler('tools/call', ({ params }, context) => {
    const tool = TOOLS.find((candidate) => candidate.name === params.name);
    if (tool === undefined) {
      const names = TOOLS.map((candidate) => candidate.name).join(' and ');
      throw new ProtocolError(
        ProtocolErrorCode.InvalidParams,
        `There is no such tool; this server has ${names}`,
      );
    }
    const { signal, _meta, notify, envelope, inputResponses } = context.mcpReq;
    const claims: Readonly<Record<string, unknown>> = envelope ?? {};
    const progressToken = _meta?.progressToken;
    const report = (progress: { progress: number; message: string }): void => {
      const params = { progressToken: progressToken ?? '', ...progress };
      notify({ method: 'notifications/progress', params }).catch((error: unknown) =>
        options.logger.debug('a progress notification was not sent', { error }),
      );
    };
    return callTool(options, {
      tool,
      args: params.arguments,
      signal,
      client: clientName(claims[CLIENT_INFO_META_KEY]),
      report: progressToken === undefined ? null : report,
      person: saysItOpensPages(claims[CLIENT_CAPABILITIES_META_KEY])
        ? personBehind(inputResponses)
        : null,
    });
  });
}

function serveResources(server: Server, options: ServerOptions): void {
  server.setRequestHandler('resources/list', () => ({ resources: [...RESOURCES] }));
  server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: [] }));
  server.setRequestHandler('resources/read', async ({ params }) => {
    const contents = await readResource(params.uri, options);
    if (contents === null) throw new ResourceNotFoundError(params.uri);
    return { contents };
  });
}

function servePrompts(server: Server, { host }: ServerOptions): void {
  server.setRequestHandler('prompts/list', () => ({ prompts: [...PROMPTS] }));
  server.setRequestHandler('prompts/get', ({ params }) => {
    const prompt = promptOf(params.name, params.arguments ?? {});
    if (prompt !== null && typeof prompt !== 'string') return prompt;
    const why = prompt ?? 'there is no such prompt';
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Invalid params: ${why}`);
  });
  server.setRequestHandler('completion/complete', ({ params }) => ({
    completion: completionOf(params.ref, params.argument, host),
  }));
}

/** A server for one connection or one HTTP request; the SDK's entries connect it. */
export function createModernServer(options: ServerOptions): Server {
  const server = new Server(SERVER_INFO, { capabilities: CAPABILITIES, cacheHints: CACHE_HINTS });
  serveTools(server, options);
  serveResources(server, options);
  servePrompts(server, options);
  server.onerror = (error) => options.logger.debug('protocol error', { error });
  return server;
}

/** The SDK's entry asks this of a connection's first message only; here every message counts. */
function versionRefusal(message: JsonRpcRequest): object | null {
  const requested = claimedVersion(message);
  if (typeof requested !== 'string' || requested === MODERN_VERSION) return null;
  const refusal = { supported: [MODERN_VERSION], requested };
  const { code, message: why, data } = new UnsupportedProtocolVersionError(refusal);
  return { jsonrpc: '2.0', id: message.id, error: { code, message: why, data } };
}

/** Opens the server of a connection on stdio: the SDK's own entry over a transport of ours. */
export async function openModernServer(
  options: ServerOptions,
  send: SendMessage,
): Promise<EraServer> {
  const wire: Transport = {
    start: () => Promise.resolve(),
    send: (message) => Promise.resolve(send(message)),
    close: () => Promise.resolve(wire.onclose?.()),
  };
  const entry = serveStdio(() => createModernServer(options), {
    legacy: 'reject',
    transport: wire,
    onerror: (error) => options.logger.debug('protocol error', { error }),
  });
  return {
    deliver: (message) => {
      if (!('method' in message)) return; // in this era a server asks by answering
      const refusal = 'id' in message ? (versionRefusal(message) ?? badParams(message)) : null;
      const heard: unknown = message;
      if (refusal !== null) send(refusal);
      else if (isJSONRPCRequest(heard) || isJSONRPCNotification(heard)) wire.onmessage?.(heard);
      else if ('id' in message) {
        send(errorReply(message.id, INVALID_PARAMS, 'Invalid params: _meta is malformed'));
      }
    },
    close: () => entry.close(),
  };
}
