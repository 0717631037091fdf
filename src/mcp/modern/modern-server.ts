/** Protocol revision 2026-07-28: the v2 SDK's low-level server over the one table. */

import {
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  Server,
} from '@modelcontextprotocol/server';
import { TOOLS } from '../../tools/index.ts';
import { callTool } from '../call-tool.ts';
import { CACHE_HINTS, CAPABILITIES, SERVER_INFO, TOOL_LIST } from '../identity.ts';
import { completionOf, PROMPTS, promptOf } from '../prompts.ts';
import { RESOURCES, readResource } from '../resources.ts';
import type { ShellOptions } from '../shell.ts';

function serveTools(server: Server, { host, logger, session }: ShellOptions): void {
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
    const { signal, _meta, notify } = context.mcpReq;
    const progressToken = _meta?.progressToken;
    const report = (progress: { progress: number; message: string }): void => {
      const params = { progressToken: progressToken ?? '', ...progress };
      notify({ method: 'notifications/progress', params }).catch((error: unknown) =>
        logger.debug('a progress notification was not sent', { error }),
      );
    };
    return callTool(host, logger, {
      tool,
      args: params.arguments,
      signal,
      session,
      report: progressToken === undefined ? null : report,
    });
  });
}

function serveResources(server: Server, { host }: ShellOptions): void {
  server.setRequestHandler('resources/list', () => ({ resources: [...RESOURCES] }));
  server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: [] }));
  server.setRequestHandler('resources/read', async ({ params }) => {
    const contents = await readResource(params.uri, host);
    if (contents === null) throw new ResourceNotFoundError(params.uri);
    return { contents };
  });
}

function servePrompts(server: Server, { host }: ShellOptions): void {
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
export function createModernServer(options: ShellOptions): Server {
  const server = new Server(SERVER_INFO, { capabilities: CAPABILITIES, cacheHints: CACHE_HINTS });
  serveTools(server, options);
  serveResources(server, options);
  servePrompts(server, options);
  server.onerror = (error) => options.logger.debug('protocol error', { error });
  return server;
}
