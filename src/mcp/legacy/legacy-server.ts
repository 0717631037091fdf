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
  type CallToolRequest,
  CallToolRequestSchema,
  CompleteRequestSchema,
  ErrorCode,
  GetPromptRequestSchema,
  type JSONRPCRequest,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  McpError,
  ReadResourceRequestSchema,
  type ServerResult,
} from '@modelcontextprotocol/sdk/types.js';
import * as z from 'zod';
import { TOOLS } from '../../tools/index.ts';
import { callTool, errorResult, type ToolResult } from '../call-tool.ts';
import { hasOnly, isPlainLegacyMeta } from '../first-answers.ts';
import { CAPABILITIES, SERVER_INFO, TOOL_LIST } from '../identity.ts';
import { isRecord } from '../json-rpc.ts';
import { completionOf, PROMPTS, promptOf } from '../prompts.ts';
import { RESOURCES, readResource } from '../resources.ts';
import type { ShellOptions } from '../shell.ts';

type Extra = Parameters<Parameters<Server['setRequestHandler']>[1]>[1];
type Answer = ServerResult | Promise<ServerResult>;

/** The member at fault, in our words; anything deeper may be a name that the client chose. */
function problemOf(error: unknown): string {
  const path = error instanceof z.core.$ZodError ? error.issues[0]?.path : undefined;
  const where = path?.slice(0, 2).map(String).join('.');
  return `${where || 'params'} is missing or malformed`;
}

/** What the SDK has made sure of. */
interface Asked {
  readonly method: string;
  readonly params?: unknown;
}

type Handler = (request: Asked, extra: Extra) => Promise<ServerResult>;

/**
 * Judges the parameters of every method here, the SDK's own `initialize` included: the SDK would
 * answer bad ones with −32603 and zod's report, which repeats what was sent. Its server half would
 * also judge a `tools/call` once more, and its result.
 */
export class LegacyServer extends Server {
  readonly #handlers = new Map<string, Handler>();

  constructor(...options: ConstructorParameters<typeof Server>) {
    super(...options);
    // Unlike a handler of its own this one is not behind one more schema.
    this.fallbackRequestHandler = async (request, extra) => {
      const handler = this.#handlers.get(request.method);
      if (handler !== undefined) return await handler(request, extra);
      throw Object.assign(new Error('Method not found'), { code: ErrorCode.MethodNotFound });
    };
  }

  /**
   * Begins a request that the lines' reader has judged. The SDK's own way in holds every message
   * against three schemas, which takes longer than the pool does; what stands behind that way is
   * private, and nothing would be answered here without it.
   */
  begin(request: JSONRPCRequest): void {
    // biome-ignore lint/complexity/useLiteralKeys: the only way to a private member
    this['_onrequest'](request);
  }

  /** @param isPlain knows common requests that the schema would let pass unchanged, at less cost */
  override setRequestHandler<T extends AnyObjectSchema>(
    schema: T,
    handler: (request: SchemaOutput<T>, extra: Extra) => Answer,
    isPlain?: (request: Asked) => request is Asked & SchemaOutput<T>,
  ): void {
    const judged = async (request: Asked, extra: Extra): Promise<ServerResult> => {
      if (isPlain?.(request)) return await handler(request, extra);
      const parsed = safeParse(schema, request);
      if (parsed.success) return await handler(parsed.data, extra);
      throw new McpError(ErrorCode.InvalidParams, problemOf(parsed.error));
    };
    const method = getMethodLiteral(schema);
    // What the SDK registers while it is made comes before the map.
    if (#handlers in this) this.#handlers.set(method, judged);
    else {
      const anyParams = z.looseObject({ method: z.literal(method) });
      Protocol.prototype.setRequestHandler.call(this, anyParams, judged);
    }
  }
}

/** A call with a name, an object of arguments at most, and a progress token at most. */
function isPlainCall(request: Asked): request is CallToolRequest {
  const { params } = request;
  if (!isRecord(params)) return false;
  const { name, arguments: args = {} } = params;
  return (
    typeof name === 'string' &&
    isRecord(args) &&
    hasOnly(params, ['name', 'arguments', '_meta']) &&
    isPlainLegacyMeta(params)
  );
}

function callOf(
  { params }: CallToolRequest,
  extra: Extra,
  { host, logger, session }: ShellOptions,
): Promise<ToolResult> | ToolResult {
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
    sent.catch((error: unknown) => logger.debug('a progress notification was not sent', { error }));
  };
  return callTool(host, logger, {
    tool,
    args: params.arguments,
    signal: extra.signal,
    session,
    report: token === undefined ? null : report,
  });
}

function serveTools(server: LegacyServer, options: ShellOptions): void {
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [...TOOL_LIST] }));
  const call = (request: CallToolRequest, extra: Extra) => callOf(request, extra, options);
  server.setRequestHandler(CallToolRequestSchema, call, isPlainCall);
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
