/**
 * The suite's fixtures for revision 2026-07-28: a tool that needs the client answers
 * `input_required`, and the client calls again. The SDK checks `Mcp-Param-*` headers for an
 * `McpServer` only, so that is what is served here.
 */

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  acceptedContent,
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  completable,
  createRequestStateCodec,
  fromJsonSchema,
  type InputRequest,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  McpServer,
  ResourceNotFoundError,
  ResourceTemplate,
  type ServerContext,
} from '@modelcontextprotocol/server';
import * as z from 'zod';
import { isRecord } from '../../src/base/text/json.ts';
import { CACHE_HINTS } from '../../src/mcp/identity.ts';

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

type Result = CallToolResult | InputRequiredResult;
type Run = (context: ServerContext) => Result | Promise<Result>;

const STEP_MS = 50;

/** One process serves every round of a flow. */
const STATE = createRequestStateCodec<{ round: number }>({
  key: randomBytes(32),
  bind: ({ mcpReq }) => mcpReq.method,
});

function said(text: string): CallToolResult {
  return { content: [textBlock(text)] };
}

function ask(message: string, field: string, type: 'string' | 'boolean' = 'string'): InputRequest {
  const property = type === 'string' ? { type } : { type };
  return inputRequired.elicit({
    message,
    requestedSchema: { type: 'object', properties: { [field]: property }, required: [field] },
  });
}

function sample(text: string, maxTokens: number): InputRequest {
  const messages = [{ role: 'user' as const, content: textBlock(text) }];
  return inputRequired.createMessage({ messages, maxTokens });
}

const name: Run = ({ mcpReq }) => {
  const answer = acceptedContent(mcpReq.inputResponses, 'user_name');
  if (typeof answer?.name === 'string') return said(`Hello, ${answer.name}!`);
  return inputRequired({ inputRequests: { user_name: ask('What is your name?', 'name') } });
};

const capital: Run = ({ mcpReq }) => {
  const answer = inputResponse(mcpReq.inputResponses, 'capital_question');
  if (answer.kind === 'sampling') return said(JSON.stringify(answer.result.content));
  const inputRequests = { capital_question: sample('What is the capital of France?', 100) };
  return inputRequired({ inputRequests });
};

const roots: Run = ({ mcpReq }) => {
  const answer = inputResponse(mcpReq.inputResponses, 'client_roots');
  if (answer.kind === 'roots') return said(answer.roots.map(({ uri }) => uri).join('\n'));
  return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
};

/** Confirmed only by an answer that comes with the state of the first round. */
const confirm: Run = async (context) => {
  const { mcpReq } = context;
  const isConfirmed = acceptedContent(mcpReq.inputResponses, 'confirm')?.ok === true;
  if (isConfirmed && mcpReq.requestState<{ round: number }>()?.round === 1) return said('state-ok');
  return inputRequired({
    inputRequests: { confirm: ask('Please confirm', 'ok', 'boolean') },
    requestState: await STATE.mint({ round: 1 }, context),
  });
};

const many: Run = async (context) => {
  const responses = context.mcpReq.inputResponses;
  const who = acceptedContent(responses, 'user_name')?.name;
  const isWhole =
    inputResponse(responses, 'greeting').kind === 'sampling' &&
    inputResponse(responses, 'client_roots').kind === 'roots' &&
    context.mcpReq.requestState<{ round: number }>()?.round === 1;
  if (isWhole && typeof who === 'string') return said(`Greeted ${who}.`);
  return inputRequired({
    inputRequests: {
      user_name: ask('What is your name?', 'name'),
      greeting: sample('Generate a greeting', 50),
      client_roots: inputRequired.listRoots(),
    },
    requestState: await STATE.mint({ round: 1 }, context),
  });
};

const rounds: Run = async (context) => {
  const { mcpReq } = context;
  const round = mcpReq.requestState<{ round: number }>()?.round ?? 0;
  const color = acceptedContent(mcpReq.inputResponses, 'step2')?.color;
  if (round === 2 && typeof color === 'string') return said(`Your colour is ${color}.`);
  const hasName = acceptedContent(mcpReq.inputResponses, 'step1')?.name !== undefined;
  const isSecond = round === 2 || (round === 1 && hasName);
  return inputRequired({
    inputRequests: isSecond
      ? { step2: ask('Step 2: What is your favorite color?', 'color') }
      : { step1: ask('Step 1: What is your name?', 'name') },
    requestState: await STATE.mint({ round: isSecond ? 2 : 1 }, context),
  });
};

/** Asks only for what the client said that it can answer. */
const capabilities: Run = ({ mcpReq }) => {
  const envelope: Readonly<Record<string, unknown>> = mcpReq.envelope ?? {};
  const declared = envelope[CLIENT_CAPABILITIES_META_KEY];
  const has = (capability: string): boolean => isRecord(declared) && capability in declared;
  const inputRequests = {
    ...(has('sampling') ? { sampled: sample('Say hello', 50) } : {}),
    ...(has('elicitation') ? { asked: ask('What is your name?', 'name') } : {}),
  };
  if (Object.keys(inputRequests).length === 0) return said('This client can be asked nothing.');
  return inputRequired({ inputRequests });
};

/** The SDK refuses with −32021 when the client has not declared sampling. */
const needsSampling: Run = () => inputRequired({ inputRequests: { sampled: sample('Hello', 10) } });

const asksOnItsStream: Run = () =>
  inputRequired({ inputRequests: { user_name: ask('What is your name?', 'name') } });

const logs: Run = async ({ mcpReq }) => {
  await mcpReq.log('info', 'Nobody asked for this');
  return said('Logged once.');
};

const progress: Run = async ({ mcpReq }) => {
  const progressToken = mcpReq._meta?.progressToken;
  for (const done of [0, 50, 100]) {
    if (progressToken !== undefined) {
      await mcpReq.notify({
        method: 'notifications/progress',
        params: { progressToken, progress: done, total: 100 },
      });
    }
    await sleep(STEP_MS);
  }
  return said('Done in three steps.');
};

const LIVE_TOOLS: Readonly<Record<string, Run>> = {
  test_tool_with_progress: progress,
  test_logging_tool: logs,
  test_missing_capability: needsSampling,
  test_streaming_elicitation: asksOnItsStream,
  test_input_required_result_elicitation: name,
  test_input_required_result_sampling: capital,
  test_input_required_result_list_roots: roots,
  test_input_required_result_request_state: confirm,
  test_input_required_result_multiple_inputs: many,
  test_input_required_result_multi_round: rounds,
  test_input_required_result_tampered_state: confirm,
  test_input_required_result_capabilities: capabilities,
};

const CUSTOM_HEADER: ObjectSchema = {
  type: 'object',
  properties: { region: { type: 'string', 'x-mcp-header': 'Region' } },
};

function addTools(server: McpServer): void {
  const add = (toolName: string, schema: ObjectSchema, run: Run): void => {
    const description = `Fixture of the conformance suite: ${toolName}`;
    const inputSchema = fromJsonSchema(schema);
    server.registerTool(toolName, { description, inputSchema }, (_args, context) => run(context));
  };
  for (const tool of STATIC_TOOLS) {
    const isError = tool.isError ? { isError: true } : {};
    add(tool.name, tool.inputSchema, () => ({ content: [...tool.content], ...isError }));
  }
  for (const [toolName, run] of Object.entries(LIVE_TOOLS)) add(toolName, NO_ARGUMENTS, run);
  add('test_custom_headers', CUSTOM_HEADER, () => said('The headers were right.'));
}

function addResources(server: McpServer): void {
  const read = (uri: URL) => {
    const content = contentOf(uri.href);
    if (content === null) throw new ResourceNotFoundError(uri.href);
    return { contents: [content] };
  };
  for (const { uri, name: title, mimeType } of RESOURCES) {
    server.registerResource(title, uri, { mimeType }, read);
  }
  const template = new ResourceTemplate(TEMPLATE.uriTemplate, { list: undefined });
  server.registerResource(TEMPLATE.name, template, { mimeType: TEMPLATE.mimeType }, read);
}

function addPrompts(server: McpServer): void {
  for (const { name: promptName, description, arguments: args, messages } of STATIC_PROMPTS) {
    const shape = Object.fromEntries(
      args.map((each) => [
        each.name,
        completable(z.string().describe(each.description), () => ['paris']),
      ]),
    );
    server.registerPrompt(promptName, { description, argsSchema: z.object(shape) }, (given) => ({
      messages: messages(given).map((content) => ({ role: 'user', content })),
    }));
  }
  server.registerPrompt(
    'test_input_required_result_prompt',
    { description: 'A prompt that asks for its context' },
    ({ mcpReq }) => {
      const given = acceptedContent(mcpReq.inputResponses, 'user_context')?.context;
      if (typeof given === 'string') {
        return { messages: [{ role: 'user', content: textBlock(`In the context of ${given}`) }] };
      }
      const user_context = ask('What context should the prompt use?', 'context');
      return inputRequired({ inputRequests: { user_context } });
    },
  );
}

export function createModernFixtures(): McpServer {
  const server = new McpServer(
    { name: 'fixtures', version: '1.0.0' },
    {
      // Lists that never change, as in the product.
      capabilities: {
        tools: { listChanged: false },
        prompts: { listChanged: false },
        resources: { listChanged: false },
        logging: {},
      },
      cacheHints: CACHE_HINTS,
      requestState: { verify: STATE.verify },
    },
  );
  addTools(server);
  addResources(server);
  addPrompts(server);
  return server;
}
