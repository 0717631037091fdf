/** Clients that come and go: each opens a session, calls a few times, and leaves, or just hangs up. */

import { expectedCode } from '../chaos/chaos.ts';
import type { SoakServer } from './soaked-server.ts';

export class SoakTally {
  calls = 0;
  ok = 0;
  cancelled = 0;
  slowestMs = 0;
  readonly errors = new Map<string, number>();
  readonly wrong: string[] = [];
  readonly lost: string[] = [];
  readonly late: string[] = [];
}

export interface ClientOptions {
  readonly server: SoakServer;
  readonly tally: SoakTally;
  readonly random: () => number;
  readonly deadlineMs: number;
  /** Tokens of named clients that are valid now; the owner's besides. */
  readonly tokens: () => readonly string[];
}

/** The result in an answer that is JSON or one stream of events. */
function resultIn(text: string, id: string): Record<string, unknown> | null {
  const lines = text.startsWith('{')
    ? [text]
    : text.split('\n').filter((line) => line.startsWith('data: '));
  for (const line of lines) {
    const message: unknown = JSON.parse(line.replace(/^data: /, ''));
    if (typeof message !== 'object' || message === null || !('id' in message)) continue;
    if (message.id === id && 'result' in message && typeof message.result === 'object') {
      return { ...message.result };
    }
  }
  return null;
}

function judge(result: Record<string, unknown>, reference: string, tally: SoakTally): void {
  if (result.isError === true) {
    const kind = JSON.stringify(result.content).slice(0, 90);
    tally.errors.set(kind, (tally.errors.get(kind) ?? 0) + 1);
    return;
  }
  const structured: unknown = result.structuredContent;
  const code =
    typeof structured === 'object' && structured !== null && 'code' in structured
      ? structured.code
      : null;
  const isCut =
    typeof structured === 'object' &&
    structured !== null &&
    'truncated' in structured &&
    structured.truncated === true;
  const expected = expectedCode(reference);
  if (code === expected || (isCut && expected.startsWith(String(code)))) tally.ok++;
  else tally.wrong.push(`${reference}: ${String(code).length} of ${expected.length} characters`);
}

async function call(options: ClientOptions, session: string, token: string): Promise<void> {
  const { server, tally, random, deadlineMs } = options;
  const id = `c${tally.calls++}`;
  const reference = `r${tally.calls}x${Math.floor(random() * 1e9).toString(36)}`;
  const cancel = new AbortController();
  const timer = random() < 0.1 ? setTimeout(() => cancel.abort(), random() * 300) : undefined;
  const startedAt = performance.now();
  const stoppedBefore = server.stoppedMs;
  const params = {
    name: 'deepseek_generate_code',
    arguments: { prompt: `Write the constants in TypeScript. ref:${reference}` },
  };
  try {
    const message = { jsonrpc: '2.0', id, method: 'tools/call', params };
    const { text, status } = await server.post(message, { token, session, signal: cancel.signal });
    const result = status === 200 ? resultIn(text, id) : null;
    // A token that was taken back meanwhile is refused, and after many of those slowed down.
    if (result !== null) judge(result, reference, tally);
    else if (status === 401 || (status === 429 && !options.tokens().includes(token)))
      tally.cancelled++;
    else tally.lost.push(`${id}: status ${status} ${text.slice(0, 120)}`);
  } catch (error) {
    if (cancel.signal.aborted) tally.cancelled++;
    else
      tally.lost.push(
        `${id}: ${String(error)} ${String(error instanceof Error ? error.cause : '')}`,
      );
  } finally {
    clearTimeout(timer);
  }
  const tookMs = performance.now() - startedAt - (server.stoppedMs - stoppedBefore);
  tally.slowestMs = Math.max(tally.slowestMs, tookMs);
  if (tookMs > deadlineMs + 1_000) tally.late.push(`${id}: ${Math.round(tookMs)} ms`);
}

/** One client after the other, until `isOver`. */
export async function comeAndGo(options: ClientOptions, isOver: () => boolean): Promise<void> {
  const { server, random, tally } = options;
  while (!isOver()) {
    const tokens = options.tokens();
    const token = tokens[Math.floor(random() * tokens.length)] ?? '';
    const opened = await server
      .post(
        {
          jsonrpc: '2.0',
          id: 0,
          method: 'initialize',
          params: {
            protocolVersion: '2025-11-25',
            capabilities: {},
            clientInfo: { name: 'soak', version: '1' },
          },
        },
        { token },
      )
      .catch((error: unknown) => {
        tally.lost.push(`initialize: ${String(error)}`);
        return null;
      });
    if (opened === null || opened.status !== 200) continue;
    const { session } = opened;
    const calls = 1 + Math.floor(random() * 4);
    for (let at = 0; at < calls && !isOver(); at++) await call(options, session, token);
    // Half of them say goodbye.
    if (random() < 0.5) {
      const headers = { 'mcp-session-id': session };
      await server.ask('/mcp', { method: 'DELETE', headers }, token).catch(() => {});
    }
  }
}
