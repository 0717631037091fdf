/** MCP clients on the built program: the official one, and a raw one that sees every line. */

import { Client as ModernClient } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  type CallToolResult,
  CallToolResultSchema,
  type JSONRPCMessage,
  JSONRPCMessageSchema,
} from '@modelcontextprotocol/sdk/types.js';
import * as z from 'zod';
import { childEnvironment, PROGRAM, Program, type Variables } from './program.ts';

const CLIENT = { name: 'test-client', version: '1.0.0' };

/** Carries the official client's messages to a Program, so that a test sees the lines as well. */
export class ProgramTransport implements Transport {
  onclose: (() => void) | undefined;
  onerror: ((error: Error) => void) | undefined;
  onmessage: ((message: JSONRPCMessage) => void) | undefined;
  readonly #program: Program;

  constructor(program: Program) {
    this.#program = program;
  }

  start(): Promise<void> {
    this.#program.onLine = (line) => {
      const parsed = parseMessage(line);
      if (parsed === null) this.onerror?.(new Error('a line on stdout is not JSON-RPC'));
      else this.onmessage?.(parsed);
    };
    void this.#program.exit.then(() => this.onclose?.());
    return Promise.resolve();
  }

  send(message: JSONRPCMessage): Promise<void> {
    this.#program.write(`${JSON.stringify(message)}\n`);
    return Promise.resolve();
  }

  async close(): Promise<void> {
    this.#program.end();
    await this.#program.exit;
  }
}

function parseMessage(line: string): JSONRPCMessage | null {
  try {
    return JSONRPCMessageSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}

/** Lines of stdout that are not JSON-RPC messages. */
export function noise(lines: readonly string[]): string[] {
  return lines.filter((line) => parseMessage(line) === null);
}

export interface Session {
  readonly client: Client;
  readonly program: Program;
  /** Ends the client and waits for the program to leave. */
  close(): Promise<void>;
}

/** The official client (SDK v1) on `serve`. */
export async function connect(env: Variables, args: readonly string[] = []): Promise<Session> {
  const program = new Program({ args, env });
  const client = new Client(CLIENT);
  await client.connect(new ProgramTransport(program));
  return { client, program, close: () => client.close() };
}

/** The official client of SDK v2, in the 2026 era without a handshake. */
export async function connectModern(
  env: Variables,
  args: readonly string[] = [],
): Promise<ModernSession> {
  const program = new Program({ args, env });
  const mode = { pin: '2026-07-28' };
  const client = new ModernClient(CLIENT, { versionNegotiation: { mode } });
  await client.connect(new ProgramTransport(program));
  return { client, program, close: () => client.close() };
}

export interface ModernSession {
  readonly client: ModernClient;
  readonly program: Program;
  close(): Promise<void>;
}

export interface StdioSession {
  readonly client: Client;
  readonly pid: number;
  stderr(): string;
  /** Errors of the transport: a line that it could not read, for instance. */
  readonly errors: Error[];
  close(): Promise<void>;
}

/** The official client over its own StdioClientTransport, exactly as users' clients start it. */
export async function connectStdio(
  env: Variables,
  args: readonly string[] = [],
): Promise<StdioSession> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [PROGRAM, ...args],
    env: childEnvironment(env),
    stderr: 'pipe',
  });
  let stderr = '';
  transport.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8');
  });
  const errors: Error[] = [];
  const client = new Client(CLIENT);
  client.onerror = (error) => errors.push(error);
  await client.connect(transport);
  return {
    client,
    pid: transport.pid ?? -1,
    stderr: () => stderr,
    errors,
    close: () => client.close(),
  };
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds until the client gives up. */
  readonly timeout?: number;
  readonly onprogress?: (progress: { progress: number; message?: string | undefined }) => void;
}

/** One tool call by an official client, its result in the usual form. */
export async function callTool(
  client: Client | ModernClient,
  name: string,
  args: Record<string, unknown>,
  options: CallOptions = {},
): Promise<CallToolResult> {
  const params = { name, arguments: args };
  const result =
    client instanceof Client
      ? await client.callTool(params, undefined, options)
      : await client.callTool(params, options);
  return CallToolResultSchema.parse(result);
}

/** All text of a result, joined. */
export function textOf(result: CallToolResult): string {
  return result.content.map((block) => (block.type === 'text' ? block.text : '')).join('\n');
}

/** What tests look into by name; everything else of a result is kept beside it. */
const RAW_RESULT = z.looseObject({
  isError: z.boolean().optional(),
  content: z.array(z.looseObject({ text: z.string().optional() })).optional(),
  contents: z.array(z.looseObject({ text: z.string().optional() })).optional(),
  structuredContent: z.record(z.string(), z.unknown()).optional(),
  tools: z.array(z.unknown()).optional(),
});
export type RawResult = z.infer<typeof RAW_RESULT>;

const RAW_MESSAGE = z.looseObject({
  id: z.unknown().optional(),
  method: z.string().optional(),
  result: RAW_RESULT.optional(),
  error: z.looseObject({ code: z.number(), message: z.string() }).optional(),
  params: z
    .looseObject({
      progressToken: z.union([z.string(), z.number()]).optional(),
      progress: z.number().optional(),
    })
    .optional(),
});
export type RawMessage = z.infer<typeof RAW_MESSAGE>;

/** @throws when the answer is an error: what a result lacks is then no finding */
export function resultOf({ result, error }: RawMessage): RawResult {
  if (result === undefined) throw new Error(`no result: ${error?.message}`);
  return result;
}

/** Writes lines, matches answers by id, judges nothing. */
export class RawClient {
  readonly program: Program;
  readonly messages: RawMessage[] = [];
  readonly #waiting = new Map<unknown, (message: RawMessage) => void>();
  #nextId = 1;

  constructor(env: Variables, args: readonly string[] = []) {
    this.program = new Program({ args, env });
    this.program.onLine = (line) => this.#take(line);
  }

  #take(line: string): void {
    const parsed = parseMessage(line);
    if (parsed === null) return;
    const message = RAW_MESSAGE.parse(parsed);
    this.messages.push(message);
    const isAnswer = message.id !== undefined && message.method === undefined;
    if (!isAnswer) return;
    this.#waiting.get(message.id)?.(message);
    this.#waiting.delete(message.id);
  }

  /** The answer to a new request; rejects when the program leaves first. */
  request(method: string, params: Record<string, unknown> = {}): Promise<RawMessage> {
    const id = this.#nextId++;
    const answer = this.answer(id);
    this.send({ jsonrpc: '2.0', id, method, params });
    return answer;
  }

  /** The answer with this id, to come. */
  answer(id: unknown): Promise<RawMessage> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, resolve);
      void this.program.exit.then(() => reject(new Error('the program left without an answer')));
    });
  }

  notify(method: string, params: Record<string, unknown> = {}): void {
    this.send({ jsonrpc: '2.0', method, params });
  }

  send(message: unknown): void {
    this.program.write(`${JSON.stringify(message)}\n`);
  }

  async initialize(protocolVersion = '2025-11-25'): Promise<RawMessage> {
    const answer = await this.request('initialize', {
      protocolVersion,
      capabilities: {},
      clientInfo: CLIENT,
    });
    this.notify('notifications/initialized');
    return answer;
  }

  callTool(name: string, args: Record<string, unknown>): Promise<RawMessage> {
    return this.request('tools/call', { name, arguments: args });
  }

  /** Closes stdin and waits for the program to leave. */
  async close(): Promise<void> {
    this.program.end();
    await this.program.exit;
  }
}
