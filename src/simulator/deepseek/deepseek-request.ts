/** Reads `POST /chat/completions` as DeepSeek does: refuses what it refuses, defaults what it defaults. */

import { countTokens } from '../text.ts';
import type { Reply } from '../turn.ts';
import { isObject, isText, unknownField, type WireObject } from '../wire-json.ts';
import {
  badMaxTokens,
  badModel,
  CONTEXT_WINDOW,
  deserializeError,
  envelope,
  MAX_OUTPUT_TOKENS,
  tooLong,
} from './deepseek-replies.ts';

export interface ChatRequest {
  /** As answered: retired names that are still served come back under the current one. */
  readonly model: string;
  /** All messages but a prefix, as one text. */
  readonly prompt: string;
  /** System messages alone: what the prompt cache can hit. */
  readonly system: string;
  /** Text of a last assistant message with `prefix: true`, or null. */
  readonly prefix: string | null;
  readonly thinking: 'off' | 'low' | 'high' | 'max';
  readonly maxTokens: number;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly json: boolean;
  readonly stop: readonly string[];
}

const SERVED_AS: Readonly<Record<string, string>> = {
  'deepseek-flash': 'deepseek-flash',
  'deepseek-v4-pro': 'deepseek-v4-pro',
  'deepseek-v4-flash': 'deepseek-flash',
  'deepseek-v4-flash-vision-exp': 'deepseek-flash',
};

const FIELDS: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'thinking',
  'reasoning_effort',
  'max_tokens',
  'temperature',
  'top_p',
  'frequency_penalty',
  'presence_penalty',
  'stop',
  'response_format',
  'stream',
  'stream_options',
  'tools',
  'tool_choice',
  'logprobs',
  'top_logprobs',
  'user_id',
]);
const ROLES: ReadonlySet<unknown> = new Set(['system', 'user', 'assistant', 'tool']);

/** `none` is off; minimal, medium, xhigh and ultra are accepted aliases. */
const EFFORTS: Readonly<Record<string, ChatRequest['thinking']>> = {
  none: 'off',
  minimal: 'low',
  low: 'low',
  medium: 'high',
  high: 'high',
  xhigh: 'high',
  max: 'max',
  ultra: 'max',
};

function badMessages(body: WireObject, isBeta: boolean): Reply | null {
  const { messages } = body;
  if (!Array.isArray(messages)) return deserializeError('missing field `messages`');
  if (messages.length === 0) return envelope(400, 'Empty input messages');
  for (const [at, message] of messages.entries()) {
    if (!isObject(message)) return deserializeError(`messages[${at}]: invalid type`);
    if (!ROLES.has(message.role)) {
      return deserializeError(
        `messages[${at}].role: unknown variant \`${String(message.role)}\`, expected one of \`system\`, \`user\`, \`assistant\`, \`tool\``,
      );
    }
    const mayHaveParts = message.role === 'user' && Array.isArray(message.content);
    if (!isText(message.content) && !mayHaveParts) {
      return deserializeError(`messages[${at}].content: invalid type, expected a string`);
    }
    if (message.prefix === true && !isBeta) {
      return envelope(
        400,
        'prefix is a beta feature, set base_url to the /beta endpoint to use it',
      );
    }
    if (message.prefix === true && (message.role !== 'assistant' || at < messages.length - 1)) {
      return envelope(400, 'prefix is allowed on the last message only, with role assistant');
    }
  }
  return null;
}

function badRange(body: WireObject, name: string, low: number, high: number): Reply | null {
  const value = body[name];
  if (value === undefined || value === null) return null;
  if (typeof value === 'number' && value >= low && value <= high) return null;
  return envelope(400, `Invalid ${name} value, the valid range of ${name} is [${low}, ${high}]`);
}

function badOptions(body: WireObject): Reply | null {
  const { stop, stream, stream_options: options, response_format: format, tools } = body;
  if (options !== undefined && options !== null && stream !== true) {
    return envelope(400, 'stream_options should be set along with stream = true');
  }
  if (Array.isArray(stop) && stop.length > 16) {
    return envelope(400, 'Stop string array too long, the maximum length is 16');
  }
  const type = isObject(format) ? format.type : 'text';
  if (type !== 'text' && type !== 'json_object') {
    return envelope(400, 'This response_format type is unavailable now');
  }
  if (Array.isArray(tools) && tools.length > 128) {
    return envelope(400, 'Too many tools, the maximum is 128');
  }
  const userId = body.user_id;
  if (userId !== undefined && !(isText(userId) && /^[A-Za-z0-9_-]{1,512}$/.test(userId))) {
    return envelope(400, 'Invalid user_id');
  }
  return badRange(body, 'temperature', 0, 2) ?? badRange(body, 'top_p', 0, 1);
}

function readThinking(body: WireObject): ChatRequest['thinking'] | null {
  const { thinking, reasoning_effort: effort } = body;
  const type = isObject(thinking) ? thinking.type : (thinking ?? 'enabled');
  if (type !== 'enabled' && type !== 'disabled') return null;
  const level = effort === undefined || effort === null ? 'high' : EFFORTS[String(effort)];
  if (level === undefined) return null;
  return type === 'disabled' ? 'off' : level;
}

/** Unset defaults: 8K without thinking, 64K with it, 128K at `max`. */
function readMaxTokens(body: WireObject, thinking: ChatRequest['thinking']): number | null {
  const value = body.max_tokens;
  if (value === undefined || value === null) {
    return thinking === 'off' ? 8_192 : thinking === 'max' ? 131_072 : 65_536;
  }
  const isValid =
    typeof value === 'number' &&
    Number.isInteger(value) &&
    value >= 1 &&
    value <= MAX_OUTPUT_TOKENS;
  return isValid ? value : null;
}

function textOf(content: unknown): string {
  return isText(content) ? content : JSON.stringify(content);
}

interface Conversation {
  readonly prompt: string;
  readonly system: string;
  readonly prefix: string | null;
}

function readMessages(body: WireObject): Conversation {
  const messages = Array.isArray(body.messages) ? body.messages.filter(isObject) : [];
  const last = messages.at(-1);
  const prefix = last?.prefix === true ? textOf(last.content) : null;
  const spoken = prefix === null ? messages : messages.slice(0, -1);
  const textsOf = (isSystem: boolean): string =>
    spoken
      .filter((message) => (message.role === 'system') === isSystem)
      .map((message) => textOf(message.content))
      .join('\n');
  return { prompt: textsOf(false), system: textsOf(true), prefix };
}

function readStop(stop: unknown): string[] {
  return (Array.isArray(stop) ? stop : [stop]).filter(isText).filter((text) => text !== '');
}

/** The first field that DeepSeek does not list, or null. */
export function unlistedField(body: WireObject): string | null {
  return unknownField(body, FIELDS);
}

/** The request as understood, or the answer that refuses it. */
export function readChat(
  body: WireObject,
  isBeta: boolean,
): { readonly request: ChatRequest } | { readonly refusal: Reply } {
  const unknown = unlistedField(body);
  if (unknown !== null) return { refusal: deserializeError(`unknown field \`${unknown}\``) };
  const refusal = badMessages(body, isBeta) ?? badOptions(body);
  if (refusal !== null) return { refusal };
  const model = isText(body.model) ? SERVED_AS[body.model] : undefined;
  if (model === undefined) return { refusal: badModel(String(body.model)) };
  const thinking = readThinking(body);
  if (thinking === null) return { refusal: deserializeError('thinking: unknown variant') };
  const { tool_choice: choice } = body;
  if (thinking !== 'off' && (choice === 'required' || isObject(choice))) {
    return { refusal: envelope(400, 'This tool_choice is not supported in thinking mode') };
  }
  const maxTokens = readMaxTokens(body, thinking);
  if (maxTokens === null) return { refusal: badMaxTokens() };
  const conversation = readMessages(body);
  const promptTokens = countTokens(conversation.system + conversation.prompt);
  if (promptTokens + maxTokens > CONTEXT_WINDOW)
    return { refusal: tooLong(promptTokens, maxTokens) };
  const { stream_options: options, response_format: format } = body;
  return {
    request: {
      ...conversation,
      model,
      thinking,
      maxTokens,
      stream: body.stream === true,
      includeUsage: isObject(options) && options.include_usage === true,
      json: isObject(format) && format.type === 'json_object',
      stop: readStop(body.stop),
    },
  };
}
