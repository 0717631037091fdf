/**
 * A model that does what its prompt says: `[[call TOOL ARGUMENTS]]` calls the tool whose name ends
 * so, with arguments in base64url because clients escape what a person says, and what comes back is
 * noted. It speaks Anthropic's messages and OpenAI's completions,
 * on loopback.
 */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { isRecord, parseRecord } from '../../src/base/text/json.ts';

export interface ScriptedModel {
  readonly url: string;
  /** What the model was given as the results of its calls, in order. */
  readonly given: string[];
  /** The tools that it was offered last. */
  readonly offered: string[];
  close(): void;
}

interface Call {
  readonly tool: string;
  readonly args: string;
}

type Fields = Readonly<Record<string, unknown>>;

function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** The text of a message in any of the forms that clients give it. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return listOf(content)
    .map((part) => (typeof part.text === 'string' ? part.text : textOf(part.content)))
    .join('\n');
}

function toolNames(body: Fields): string[] {
  return listOf(body.tools).map(({ name, function: called }) =>
    String(name ?? (isRecord(called) ? called.name : '')),
  );
}

/** Results of tools that stand behind the last thing that a person said. */
function resultsIn(body: Fields): string[] {
  return listOf(body.messages).flatMap(({ role, content }) => {
    if (role === 'tool') return [textOf(content)];
    return listOf(content)
      .filter(({ type }) => type === 'tool_result')
      .map((part) => textOf(part.content));
  });
}

function callIn(body: Fields, offered: readonly string[]): Call | null {
  const said = listOf(body.messages).map(({ content }) => textOf(content));
  const asked = /\[\[call (\w+) ([\w-]+)\]\]/.exec(said.join('\n'));
  const tool = offered.find((name) => name.endsWith(asked?.[1] ?? '\0'));
  if (asked === null || tool === undefined) return null;
  return { tool, args: Buffer.from(asked[2] ?? '', 'base64url').toString('utf8') };
}

function sendEvents(
  response: ServerResponse,
  events: ReadonlyArray<readonly [string, object]>,
): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const [name, data] of events) {
    const head = name === '' ? '' : `event: ${name}\n`;
    response.write(`${head}data: ${JSON.stringify(data)}\n\n`);
  }
}

function sendJson(response: ServerResponse, value: object): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

const USAGE = { input_tokens: 1, output_tokens: 1 };

function anthropic(response: ServerResponse, body: Fields, call: Call | null): void {
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: String(body.model) };
  const stop = call === null ? 'end_turn' : 'tool_use';
  const input = parseRecord(call?.args ?? '{}') ?? {};
  const block =
    call === null
      ? { type: 'text', text: 'done' }
      : { type: 'tool_use', id: 'toolu_1', name: call.tool, input };
  if (body.stream !== true) {
    sendJson(response, { ...message, content: [block], stop_reason: stop, usage: USAGE });
    return;
  }
  const start = call === null ? { type: 'text', text: '' } : { ...block, input: {} };
  const delta =
    call === null
      ? { type: 'text_delta', text: 'done' }
      : { type: 'input_json_delta', partial_json: call.args };
  sendEvents(response, [
    [
      'message_start',
      { type: 'message_start', message: { ...message, content: [], usage: USAGE } },
    ],
    ['content_block_start', { type: 'content_block_start', index: 0, content_block: start }],
    ['content_block_delta', { type: 'content_block_delta', index: 0, delta }],
    ['content_block_stop', { type: 'content_block_stop', index: 0 }],
    ['message_delta', { type: 'message_delta', delta: { stop_reason: stop }, usage: USAGE }],
    ['message_stop', { type: 'message_stop' }],
  ]);
  response.end();
}

function openai(response: ServerResponse, body: Fields, call: Call | null): void {
  const called = call === null ? null : { name: call.tool, arguments: call.args };
  const toolCalls = [{ index: 0, id: 'call_1', type: 'function', function: called }];
  const said =
    called === null
      ? { role: 'assistant', content: 'done' }
      : { role: 'assistant', tool_calls: toolCalls };
  const finish_reason = call === null ? 'stop' : 'tool_calls';
  const about = { id: 'chat_1', created: 1, model: String(body.model) };
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
  if (body.stream !== true) {
    const choices = [{ index: 0, message: said, finish_reason }];
    sendJson(response, { ...about, object: 'chat.completion', choices, usage });
    return;
  }
  const chunk = (delta: object, reason: string | null): readonly [string, object] => [
    '',
    {
      ...about,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, finish_reason: reason }],
      usage: reason === null ? null : usage,
    },
  ];
  sendEvents(response, [chunk(said, null), chunk({}, finish_reason)]);
  response.end('data: [DONE]\n\n');
}

export async function startScriptedModel(): Promise<ScriptedModel> {
  const given: string[] = [];
  const offered: string[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = parseRecord(await text(request)) ?? {};
    const path = request.url ?? '';
    if (path.includes('count_tokens')) return sendJson(response, { input_tokens: 1 });
    const isModel = /\/(?:messages|chat\/completions)(?:\?|$)/.test(path);
    if (!isModel) return sendJson(response, { object: 'list', data: [{ id: 'scripted' }] });
    const tools = toolNames(body);
    if (tools.length > 0) offered.splice(0, offered.length, ...tools);
    const results = resultsIn(body);
    const call = results.length === 0 ? callIn(body, tools) : null;
    if (results.length > 0 && tools.length > 0) given.splice(0, given.length, ...results);
    if (path.includes('/messages')) anthropic(response, body, call);
    else openai(response, body, call);
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${address.port}`, given, offered, close };
}
