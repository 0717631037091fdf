/** A server that answers as it is told to, and the pieces that odd answers are made of. */

import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';

export type Respond = (response: ServerResponse) => void;

/** Answers POSTs in turn; the last answer serves all that follow. Free look-ups always succeed. */
export class OddUpstream {
  readonly paths: string[] = [];
  answers: readonly Respond[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      request.resume().on('end', () => {
        if (request.method === 'GET') {
          response.setHeader('content-type', 'application/json');
          response.end(JSON.stringify({ is_available: true, balance_infos: [], data: [] }));
          return;
        }
        const answer = this.answers[Math.min(this.paths.length, this.answers.length - 1)];
        this.paths.push(request.url ?? '');
        answer?.(response);
      });
    });
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  }

  play(answers: readonly Respond[]): void {
    this.answers = answers;
    this.paths.length = 0;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

export const JSON_TYPE = { 'content-type': 'application/json' };
export const SSE = { 'content-type': 'text/event-stream' };
export const USAGE = { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 };

export function reply(
  status: number,
  body: unknown,
  headers: Record<string, string> = JSON_TYPE,
): Respond {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return (response) => void response.writeHead(status, headers).end(text);
}

export function failing(status: number, error: object, headers = {}): Respond {
  return reply(status, { error }, { ...JSON_TYPE, ...headers });
}

type Choice = Readonly<Record<string, unknown>>;

export function event(choice: Choice, rest: object = {}): string {
  return `data: ${JSON.stringify({ id: 'x', model: 'deepseek-flash', choices: [choice], ...rest })}\n\n`;
}

export function text(content: unknown, finish: unknown = null): string {
  return event({ index: 0, delta: { content }, finish_reason: finish });
}

export function finish(reason: unknown, rest: object = { usage: USAGE }): string {
  return event({ index: 0, delta: { content: '' }, finish_reason: reason }, rest);
}

export const DONE = 'data: [DONE]\n\n';
export const stream = (...events: readonly string[]): Respond => reply(200, events.join(''), SSE);

export const CODE = 'const answer = 42;\nexport { answer };';
export const FENCED = `\`\`\`js\n${CODE}\n\`\`\`\n`;
export const good = stream(text(FENCED), finish('stop'), DONE);
export const half = text('```js\nconst answer');
