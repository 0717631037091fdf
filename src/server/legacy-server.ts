/**
 * Protocol revisions 2024-10-07 to 2025-11-25: the v1 SDK's low-level server over the one table.
 * Low-level, because its schemas then reach the client exactly as committed; `McpServer` would
 * make its own from zod, in another dialect.
 */

import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  type AnyObjectSchema,
  type SchemaOutput,
  safeParse,
} from '@modelcontextprotocol/sdk/server/zod-compat.js';
import { getMethodLiteral } from '@modelcontextprotocol/sdk/server/zod-json-schema-compat.js';
import { Protocol } from '@modelcontextprotocol/sdk/shared/protocol.js';
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
type Answer = ServerResult | Promise<ServerResult>;

/** The member at fault, in our words; anything deeper may be a name that the client chose. */
function problemOf(error: unknown): string {
  const path = error instanceof z.core.$ZodError ? error.issues[0]?.path : undefined;
  const where = path?.slice(0, 2).map(String).join('.');
  return `${where || 'params'} is missing or malformed`;
}

/**
 * Judges the parameters of every method here, the SDK's own `initialize` included: the SDK would
 * answer bad ones with −32603 and zod's report, which repeats what was sent. The handlers go to the
 * SDK's protocol half: its server half would judge a `tools/call` once more, and its result.
 */
export class LegacyServer extends Server {
  override setRequestHandler<T extends AnyObjectSchema>(
    schema: T,
    handler: (request: SchemaOutput<T>, extra: Extra) => Answer,
  ): void {
    const anyParams = z.looseObject({ method: z.literal(getMethodLiteral(schema)) });
    Protocol.prototype.setRequestHandler.call(this, anyParams, (request, extra) => {
      const parsed = safeParse(schema, request);
      if (parsed.success) return handler(parsed.data, extra);
      throw new McpError(ErrorCode.InvalidParams, problemOf(parsed.error));
    });
  }
}

function serveTools(server: LegacyServer, { host, logger, session }: ShellOptions): void {
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [...TOOL_LIST] }));
  server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) => {
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

function serveResources(server: LegacyServer, { host }: ShellOptions): void {
  server.setRequestHandler(ListResourcesRequestSchema, () => ({
    resources: [...RESOURCES],
  }));
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: [],
  }));
  server.setRequestHandler(ReadResourceRequestSchema, async ({ params }) => {
    const contents = await readResource(params.uri, host);
    // −32002: "Resource not found" of the revisions up to 2025-11-25.
    if (contents === null) throw new McpError(-32_002, 'Resource not found');
    return { contents };
  });
}

function servePrompts(server: LegacyServer, { host }: ShellOptions): void {
  server.setRequestHandler(ListPromptsRequestSchema, () => ({ prompts: [...PROMPTS] }));
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => {
    const prompt = promptOf(params.name, params.arguments ?? {});
    if (prompt !== null && typeof prompt !== 'string') return prompt;
    throw new McpError(ErrorCode.InvalidParams, prompt ?? 'there is no such prompt');
  });
  server.setRequestHandler(CompleteRequestSchema, ({ params }) => ({
    completion: completionOf(params.ref, params.argument, host),
  }));
}

/** A server for one session; connect it to a transport. */
export function createLegacyServer(options: ShellOptions): LegacyServer {
  const server = new LegacyServer(SERVER_INFO, { capabilities: CAPABILITIES });
  serveTools(server, options);
  serveResources(server, options);
  servePrompts(server, options);
  server.onerror = (error) => options.logger.debug('protocol error', { error });
  return server;
}
