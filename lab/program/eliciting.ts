/** Official clients that lead a person to a page, and the person. */

import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernHttpTransport,
} from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  ElicitationCompleteNotificationSchema,
  ElicitRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { onTestFinished } from 'vitest';
import type { Era } from '../../src/mcp/era.ts';
import { TOKEN } from './http-program.ts';
import { Program, type Variables } from './program.ts';
import { ProgramTransport } from './test-client.ts';

/** How the person, or the client in the person's place, answers. */
export type PersonsAnswer = 'accept' | 'decline' | 'cancel';

export interface Shown {
  readonly url: string;
  readonly message: string;
}

export interface Eliciting {
  readonly client: Client | ModernClient;
  /** Every question so far. */
  readonly shown: Shown[];
  /** Ids of the questions that the server called done; none in the modern era. */
  readonly done: string[];
  readonly asked: string[];
  /** The program that the client started; null over HTTP. */
  readonly program: Program | null;
}

export type Answerer = (shown: Shown, signal: AbortSignal) => Promise<PersonsAnswer>;

export interface ElicitingOptions {
  readonly era: Era;
  readonly answer: Answerer;
  /** Of a server over HTTP; without one the client starts the program on stdio. */
  readonly url?: string;
  readonly token?: string;
  /** Of the program on stdio. */
  readonly args?: readonly string[];
  /** What the client says of elicitation. Default: pages alone. */
  readonly elicitation?: {
    readonly url?: Record<string, never>;
    readonly form?: Record<string, never>;
  };
}

const INFO = { name: 'eliciting-client', version: '1.0.0' };

/** A client that answers questions for a page; closed with the test. */
export async function connectEliciting(
  env: Variables,
  options: ElicitingOptions,
): Promise<Eliciting> {
  const { era, answer, url, token = TOKEN, elicitation = { url: {} } } = options;
  const shown: Shown[] = [];
  const done: string[] = [];
  const asked: string[] = [];
  const program = url === undefined ? new Program({ env, args: options.args ?? [] }) : null;
  const capabilities = { elicitation };
  const see = (params: { url?: string; message: string }, signal: AbortSignal) => {
    const seen = { url: params.url ?? '', message: params.message };
    shown.push(seen);
    return answer(seen, signal).then((action) => ({ action }));
  };
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  const address = new URL(`${url ?? 'http://127.0.0.1'}/mcp`);
  if (era === 'modern') {
    const mode = { pin: '2026-07-28' };
    const client = new ModernClient(INFO, { capabilities, versionNegotiation: { mode } });
    client.setRequestHandler('elicitation/create', ({ params }, { mcpReq }) =>
      see({ ...params }, mcpReq.signal),
    );
    await client.connect(
      program === null
        ? new ModernHttpTransport(address, { requestInit })
        : new ProgramTransport(program),
    );
    onTestFinished(() => client.close());
    return { client, shown, done, asked, program };
  }
  const client = new Client(INFO, { capabilities });
  client.setRequestHandler(ElicitRequestSchema, ({ params }, { signal }) => {
    if ('elicitationId' in params) asked.push(params.elicitationId);
    return see('url' in params ? params : { message: params.message }, signal);
  });
  client.setNotificationHandler(ElicitationCompleteNotificationSchema, ({ params }) => {
    done.push(params.elicitationId);
  });
  await client.connect(
    program === null
      ? new StreamableHTTPClientTransport(address, { requestInit })
      : new ProgramTransport(program),
  );
  onTestFinished(() => client.close());
  return { client, shown, done, asked, program };
}

/** What a browser sends for the page's form, where no script runs. */
export function putIn(url: string, text: string, headers: Record<string, string> = {}) {
  return fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      origin: new URL(url).origin,
      'sec-fetch-site': 'same-origin',
      ...headers,
    },
    body: new URLSearchParams({ key: text }),
    redirect: 'error',
  });
}
