/**
 * Protocol revisions 2024-10-07 to 2025-11-25: the v1 SDK's low-level server over the one table.
 * Low-level, because its schemas then reach the client exactly as committed; `McpServer` would
 * make its own from zod, in another dialect.
 *
 * Every method is served by the fallback handler, which judges its parameters here: a handler of
 * the SDK's own would answer bad ones with −32603 and zod's report, which repeats what was sent.
 */

import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  type CallToolRequest,
  CallToolRequestSchema,
  CompleteRequestSchema,
  GetPromptRequestSchema,
  InitializeRequestSchema,
  isJSONRPCErrorResponse,
  isJSONRPCResultResponse,
  type JSONRPCNotification,
  type JSONRPCRequest,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  ReadResourceRequestSchema,
  type ServerResult,
} from '@modelcontextprotocol/sdk/types.js';
import { TOOLS } from '../../tools/index.ts';
import { callTool, errorResult, type ToolResult } from '../call-tool.ts';
import { CAPABILITIES, SERVER_INFO, TOOL_LIST } from '../identity.ts';
import {
  type ClientMessage,
  errorReply,
  INVALID_PARAMS,
  type Issue,
  type JsonRpcNotification,
  type JsonRpcRequest,
  METHOD_NOT_FOUND,
  malformed,
} from '../json-rpc.ts';
import { completionOf, PROMPTS, promptOf } from '../prompts.ts';
import { RESOURCES, readResource } from '../resources.ts';
import type { EraServer, SendMessage, ServerOptions } from '../server-host.ts';
import { FORM_VALIDATOR } from './form-validator.ts';
import { type Extra, Questions } from './questions.ts';
import { RequestIds } from './request-ids.ts';

type Handler = (request: unknown, extra: Extra) => Promise<ServerResult>;

/** "Resource not found" of the revisions up to 2025-11-25. */
const RESOURCE_NOT_FOUND = -32_002;

/** The SDK answers with the code and the message, as they are. */
class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

type Checked<T> =
  | { readonly success: true; readonly data: T }
  | { readonly success: false; readonly error: { readonly issues: readonly Issue[] } };
interface Schema<T> {
  safeParse(value: unknown): Checked<T>;
}

function judged<T>(
  schema: Schema<T>,
  handler: (request: T, extra: Extra) => ServerResult | Promise<ServerResult>,
): Handler {
  return async (request, extra) => {
    const checked = schema.safeParse(request);
    if (checked.success) return await handler(checked.data, extra);
    throw new Refusal(INVALID_PARAMS, malformed(checked.error.issues));
  };
}

function call(
  { params }: CallToolRequest,
  extra: Extra,
  options: ServerOptions,
  questions: Questions,
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
    sent.catch((error: unknown) =>
      options.logger.debug('a progress notification was not sent', { error }),
    );
  };
  return callTool(options, {
    tool,
    args: params.arguments,
    signal: extra.signal,
    report: token === undefined ? null : report,
    person: options.client.opensPages ? questions.personOf(extra) : null,
  });
}

/** Every method that this server has, beside the SDK's own `initialize` and `ping`. */
function handlersOf(options: ServerOptions, questions: Questions): ReadonlyMap<string, Handler> {
  const { host } = options;
  return new Map<string, Handler>([
    [
      'tools/call',
      judged(CallToolRequestSchema, (asked, extra) => call(asked, extra, options, questions)),
    ],
    ['tools/list', judged(ListToolsRequestSchema, () => ({ tools: [...TOOL_LIST] }))],
    ['resources/list', judged(ListResourcesRequestSchema, () => ({ resources: [...RESOURCES] }))],
    [
      'resources/templates/list',
      judged(ListResourceTemplatesRequestSchema, () => ({ resourceTemplates: [] })),
    ],
    [
      'resources/read',
      judged(ReadResourceRequestSchema, async ({ params }) => {
        const contents = await readResource(params.uri, options);
        if (contents === null) throw new Refusal(RESOURCE_NOT_FOUND, 'Resource not found');
        return { contents };
      }),
    ],
    ['prompts/list', judged(ListPromptsRequestSchema, () => ({ prompts: [...PROMPTS] }))],
    [
      'prompts/get',
      judged(GetPromptRequestSchema, ({ params }) => {
        const prompt = promptOf(params.name, params.arguments ?? {});
        if (prompt !== null && typeof prompt !== 'string') return prompt;
        const why = prompt ?? 'there is no such prompt';
        throw new Refusal(INVALID_PARAMS, `Invalid params: ${why}`);
      }),
    ],
    [
      'completion/complete',
      judged(CompleteRequestSchema, ({ params }) => ({
        completion: completionOf(params.ref, params.argument, host),
      })),
    ],
  ]);
}

/** A server for one session; connect it to a transport. */
export function createLegacyServer(options: ServerOptions): Server {
  const server = new Server(SERVER_INFO, {
    capabilities: CAPABILITIES,
    jsonSchemaValidator: FORM_VALIDATOR,
  });
  const handlers = handlersOf(options, new Questions(server, options.logger));
  server.fallbackRequestHandler = async (request, extra) => {
    const handler = handlers.get(request.method);
    if (handler === undefined) throw new Refusal(METHOD_NOT_FOUND, 'Method not found');
    return await handler(request, extra);
  };
  server.onerror = (error) => options.logger.debug('protocol error', { error });
  return server;
}

/** What makes a message the SDK's own kind: `_meta` was judged when it was read. */
function isForSdk(
  message: ClientMessage,
): message is (JsonRpcRequest & JSONRPCRequest) | (JsonRpcNotification & JSONRPCNotification) {
  return 'method' in message;
}

/** An answer to a question of ours; one that is malformed leaves the question without one. */
function hear(wire: Transport, answer: unknown): void {
  if (isJSONRPCResultResponse(answer) || isJSONRPCErrorResponse(answer)) wire.onmessage?.(answer);
}

/** Opens the server of a connection on stdio. */
export async function openLegacyServer(
  options: ServerOptions,
  send: SendMessage,
): Promise<EraServer> {
  const server = createLegacyServer(options);
  const wire: Transport = {
    start: () => Promise.resolve(),
    send: (message) => Promise.resolve(send(message)),
    close: () => Promise.resolve(wire.onclose?.()),
  };
  await server.connect(new RequestIds(wire));
  return {
    deliver: (message) => {
      if (!isForSdk(message)) {
        hear(wire, message);
        return;
      }
      const opening = message.method === 'initialize' && 'id' in message ? message : null;
      const checked = opening === null ? null : InitializeRequestSchema.safeParse(opening);
      if (opening !== null && checked?.success === false) {
        send(errorReply(opening.id, INVALID_PARAMS, malformed(checked.error.issues)));
      } else wire.onmessage?.(message);
    },
    close: () => server.close(),
  };
}
