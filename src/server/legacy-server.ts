/**
 * Protocol revisions 2024-10-07 to 2025-11-25: the v1 SDK's low-level server over the one table.
 * Low-level, because its schemas then reach the client exactly as committed; `McpServer` would
 * make its own from zod, in another dialect.
 */

import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  CallToolRequestSchema,
  CompleteRequestSchema,
  ErrorCode,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  McpError,
  ReadResourceRequestSchema,
  type ServerResult,
} from '@modelcontextprotocol/sdk/types.js';
import * as z from 'zod';
import { TOOLS } from '../tools/index.ts';
import { callTool, errorResult } from './call-tool.ts';
import { CAPABILITIES, SERVER_INFO, TOOL_LIST } from './identity.ts';
import { completionOf, PROMPTS, promptOf } from './prompts.ts';
import { RESOURCES, readResource } from './resources.ts';
import type { ShellOptions } from './shell.ts';

type Extra = Parameters<Parameters<Server['setRequestHandler']>[1]>[1];

/**
 * Registers a handler whose parameters are judged here: the SDK would answer bad ones with
 * −32603 and zod's own report, which repeats what was sent.
 */
function handle<Schema extends z.ZodType>(
  server: Server,
  method: string,
  schema: Schema,
  handler: (request: z.output<Schema>, extra: Extra) => ServerResult | Promise<ServerResult>,
): void {
  const anyParams = z.looseObject({ method: z.literal(method) });
  server.setRequestHandler(anyParams, (request, extra) => {
    const parsed = schema.safeParse(request);
    if (parsed.success) return handler(parsed.data, extra);
    const where = parsed.error.issues[0]?.path.map(String).join('.') ?? 'params';
    throw new McpError(ErrorCode.InvalidParams, `${where} is missing or malformed`);
  });
}

function serveTools(server: Server, { host, logger, session }: ShellOptions): void {
  handle(server, 'tools/list', ListToolsRequestSchema, () => ({ tools: [...TOOL_LIST] }));
  handle(server, 'tools/call', CallToolRequestSchema, ({ params }, extra) => {
    const tool = TOOLS.find((candidate) => candidate.name === params.name);
    if (tool === undefined) {
      const names = TOOLS.map((candidate) => candidate.name).join(' and ');
      return errorResult(`There is no such tool; this server has ${names}.`);
    }
    const token = params._meta?.progressToken;
    const report = (progress: { progress: number; message: string }): void => {
      const sent = extra.sendNotification({
        method: 'notifications/progress',
        params: { progressToken: token ?? '', ...progress },
      });
      sent.catch((error: unknown) =>
        logger.debug('a progress notification was not sent', { error }),
      );
    };
    return callTool(host, logger, {
      tool,
      args: params.arguments,
      signal: extra.signal,
      session,
      report: token === undefined ? null : report,
    });
  });
}

function serveResources(server: Server, { host }: ShellOptions): void {
  handle(server, 'resources/list', ListResourcesRequestSchema, () => ({
    resources: [...RESOURCES],
  }));
  handle(server, 'resources/templates/list', ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: [],
  }));
  handle(server, 'resources/read', ReadResourceRequestSchema, async ({ params }) => {
    const contents = await readResource(params.uri, host);
    // −32002: "Resource not found" of the revisions up to 2025-11-25.
    if (contents === null) throw new McpError(-32_002, 'Resource not found');
    return { contents };
  });
}

function servePrompts(server: Server, { host }: ShellOptions): void {
  handle(server, 'prompts/list', ListPromptsRequestSchema, () => ({ prompts: [...PROMPTS] }));
  handle(server, 'prompts/get', GetPromptRequestSchema, ({ params }) => {
    const prompt = promptOf(params.name, params.arguments ?? {});
    if (prompt !== null && typeof prompt !== 'string') return prompt;
    throw new McpError(ErrorCode.InvalidParams, prompt ?? 'there is no such prompt');
  });
  handle(server, 'completion/complete', CompleteRequestSchema, ({ params }) => ({
    completion: completionOf(params.ref, params.argument, host),
  }));
}

/** A server for one session; connect it to a transport. */
export function createLegacyServer(options: ShellOptions): Server {
  const server = new Server(SERVER_INFO, { capabilities: CAPABILITIES });
  serveTools(server, options);
  serveResources(server, options);
  servePrompts(server, options);
  server.onerror = (error) => options.logger.debug('protocol error', { error });
  return server;
}
