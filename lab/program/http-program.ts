/** The built program as an HTTP server. */

import { expect, onTestFinished, vi } from 'vitest';
import { Program, type Variables } from './program.ts';

export const TOKEN = 'test-token-of-the-http-server';

export interface HttpProgram {
  readonly program: Program;
  readonly url: string;
  readonly port: number;
  /** One request with the token. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** A client of the revisions up to 2025-11-25: calls one tool, gives the body of the answer. */
  call(tool: string, args: unknown, id?: number | string): Promise<string>;
  /** A session of its own. */
  open(): Promise<string>;
}

export function addressOf(program: Program): string {
  return /"url":"([^"]+)"/.exec(program.stderr)?.[1] ?? '';
}

/** Waits for the line that says where it listens. */
export async function untilListening(program: Program): Promise<string> {
  await vi.waitFor(() => expect(addressOf(program), program.stderr).not.toBe(''), {
    timeout: 20_000,
  });
  return addressOf(program);
}

/** Starts `serve --http` on a free port; ended with the test. */
export async function startHttp(
  env: Variables,
  args: readonly string[] = [],
  file?: string,
): Promise<HttpProgram> {
  const program = new Program({
    ...(file === undefined ? {} : { file }),
    args: ['serve', '--http', '--port', '0', ...args],
    env: { KEYPOOL_HTTP_TOKEN: TOKEN, ...env },
  });
  onTestFinished(async () => {
    program.kill('SIGKILL');
    await program.exit;
  });
  const url = await untilListening(program);
  const headers = { authorization: `Bearer ${env.KEYPOOL_HTTP_TOKEN ?? TOKEN}` };
  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${url}${path}`, { ...init, headers: { ...headers, ...init.headers } });
  const post = (body: unknown, session?: string): Promise<Response> =>
    ask('/mcp', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(session === undefined ? {} : { 'mcp-session-id': session }),
      },
      body: JSON.stringify(body),
    });
  const open = async (): Promise<string> => {
    const clientInfo = { name: 'test', version: '1' };
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo };
    const response = await post({ jsonrpc: '2.0', id: 0, method: 'initialize', params });
    await response.text();
    return response.headers.get('mcp-session-id') ?? '';
  };
  let session: Promise<string> | null = null;
  return {
    program,
    url,
    port: Number(new URL(url).port),
    ask,
    open,
    call: async (name, args, id = crypto.randomUUID()) => {
      session ??= open();
      const params = { name, arguments: args };
      const body = { jsonrpc: '2.0', id, method: 'tools/call', params };
      return (await post(body, await session)).text();
    },
  };
}

/** Lines of stderr that are not JSON. */
export function brokenLines(program: Program): string[] {
  return program.stderr.split('\n').filter((line) => {
    if (line === '') return false;
    try {
      JSON.parse(line);
      return false;
    } catch {
      return true;
    }
  });
}
