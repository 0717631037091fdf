/**
 * The suite's fixtures for the revisions up to 2025-11-25, on the SDK server that the product uses:
 * here a tool asks the client over the stream of the call that it belongs to.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  CallToolRequestSchema,
  type CallToolResult,
  CompleteRequestSchema,
  CreateMessageResultSchema,
  type ElicitRequestFormParams,
  ElicitResultSchema,
  ErrorCode,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  McpError,
  ReadResourceRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import {
  contentOf,
  NO_ARGUMENTS,
  type ObjectSchema,
  RESOURCES,
  STATIC_PROMPTS,
  STATIC_TOOLS,
  TEMPLATE,
  textBlock,
} from './fixture-tables.ts';

type Extra = Parameters<Parameters<Server['setRequestHandler']>[1]>[1];
type Schema = ElicitRequestFormParams['requestedSchema'];

interface Call {
  readonly args: Readonly<Record<string, unknown>>;
  readonly extra: Extra;
}

interface LegacyTool {
  readonly name: string;
  readonly inputSchema: ObjectSchema;
  readonly run: (call: Call) => Promise<string>;
}

const STEP_MS = 50;

async function log({ extra }: Call): Promise<string> {
  for (const data of [
    'Tool execution started',
    'Tool processing data',
    'Tool execution completed',
  ]) {
    await extra.sendNotification({
      method: 'notifications/message',
      params: { level: 'info', data },
    });
    await sleep(STEP_MS);
  }
  return 'Logged three times.';
}

async function progress({ extra }: Call): Promise<string> {
  const progressToken = extra._meta?.progressToken;
  for (const done of [0, 50, 100]) {
    if (progressToken !== undefined) {
      await extra.sendNotification({
        method: 'notifications/progress',
        params: { progressToken, progress: done, total: 100 },
      });
    }
    await sleep(STEP_MS);
  }
  return 'Done in three steps.';
}

async function sample({ args, extra }: Call): Promise<string> {
  const { content } = await extra.sendRequest(
    {
      method: 'sampling/createMessage',
      params: {
        messages: [{ role: 'user', content: textBlock(String(args.prompt)) }],
        maxTokens: 100,
      },
    },
    CreateMessageResultSchema,
  );
  return `LLM response: ${content.type === 'text' ? content.text : content.type}`;
}

async function elicit({ extra }: Call, message: string, properties: Schema): Promise<string> {
  const answer = await extra.sendRequest(
    { method: 'elicitation/create', params: { message, requestedSchema: properties } },
    ElicitResultSchema,
  );
  return `action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`;
}

const USER: Schema = {
  type: 'object',
  properties: {
    username: { type: 'string', description: "User's response" },
    email: { type: 'string', description: "User's email address" },
  },
  required: ['username', 'email'],
};

const DEFAULTS: Schema = {
  type: 'object',
  properties: {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  },
};

function titled(word: string): Array<{ const: string; title: string }> {
  return ['First', 'Second', 'Third'].map((nth, at) => ({
    const: `value${at + 1}`,
    title: `${nth} ${word}`,
  }));
}

const OPTIONS = ['option1', 'option2', 'option3'];

const ENUMS: Schema = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', enum: OPTIONS },
    titledSingle: { type: 'string', oneOf: titled('Option') },
    legacyEnum: {
      type: 'string',
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: { type: 'array', items: { type: 'string', enum: OPTIONS } },
    titledMulti: { type: 'array', items: { anyOf: titled('Choice') } },
  },
};

function oneString(name: string): ObjectSchema {
  return { type: 'object', properties: { [name]: { type: 'string' } }, required: [name] };
}

const LIVE_TOOLS: readonly LegacyTool[] = [
  { name: 'test_tool_with_logging', inputSchema: NO_ARGUMENTS, run: log },
  { name: 'test_tool_with_progress', inputSchema: NO_ARGUMENTS, run: progress },
  { name: 'test_sampling', inputSchema: oneString('prompt'), run: sample },
  {
    name: 'test_elicitation',
    inputSchema: oneString('message'),
    run: async (call) => `User response: ${await elicit(call, String(call.args.message), USER)}`,
  },
  {
    name: 'test_elicitation_sep1034_defaults',
    inputSchema: NO_ARGUMENTS,
    run: async (call) => `Elicitation completed: ${await elicit(call, 'Defaults', DEFAULTS)}`,
  },
  {
    name: 'test_elicitation_sep1330_enums',
    inputSchema: NO_ARGUMENTS,
    run: async (call) => `Elicitation completed: ${await elicit(call, 'Choices', ENUMS)}`,
  },
  {
    name: 'test_reconnection',
    inputSchema: NO_ARGUMENTS,
    run: () => Promise.resolve('This server keeps the stream of a call open.'),
  },
];

async function call(name: string, given: Call): Promise<CallToolResult> {
  const fixed = STATIC_TOOLS.find((tool) => tool.name === name);
  if (fixed !== undefined) {
    return { content: [...fixed.content], ...(fixed.isError ? { isError: true } : {}) };
  }
  const live = LIVE_TOOLS.find((tool) => tool.name === name);
  if (live === undefined) throw new McpError(ErrorCode.InvalidParams, 'no such tool');
  return { content: [textBlock(await live.run(given))] };
}

function serveTools(server: Server): void {
  const tools = [...STATIC_TOOLS, ...LIVE_TOOLS].map(({ name, inputSchema }) => ({
    name,
    description: `Fixture of the conformance suite: ${name}`,
    inputSchema,
  }));
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools }));
  server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) =>
    call(params.name, { args: params.arguments ?? {}, extra }),
  );
}

function serveResources(server: Server): void {
  const watched = new Set<string>();
  server.setRequestHandler(ListResourcesRequestSchema, () => ({ resources: [...RESOURCES] }));
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: [TEMPLATE],
  }));
  server.setRequestHandler(ReadResourceRequestSchema, ({ params }) => {
    const content = contentOf(params.uri);
    if (content === null) throw new McpError(-32_002, 'Resource not found');
    return { contents: [content] };
  });
  server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
    watched.add(params.uri);
    return {};
  });
  server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => {
    watched.delete(params.uri);
    return {};
  });
}

function servePrompts(server: Server): void {
  const prompts = STATIC_PROMPTS.map(({ name, description, arguments: args }) => ({
    name,
    description,
    arguments: [...args],
  }));
  server.setRequestHandler(ListPromptsRequestSchema, () => ({ prompts }));
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => {
    const prompt = STATIC_PROMPTS.find(({ name }) => name === params.name);
    if (prompt === undefined) throw new McpError(ErrorCode.InvalidParams, 'no such prompt');
    const blocks = prompt.messages(params.arguments ?? {});
    return { messages: blocks.map((content) => ({ role: 'user', content })) };
  });
  server.setRequestHandler(CompleteRequestSchema, () => ({ completion: { values: ['paris'] } }));
}

export function createLegacyFixtures(): Server {
  const capabilities = {
    tools: {},
    prompts: {},
    completions: {},
    logging: {},
    resources: { subscribe: true },
  };
  const server = new Server({ name: 'fixtures', version: '1.0.0' }, { capabilities });
  serveTools(server);
  serveResources(server);
  servePrompts(server);
  return server;
}
