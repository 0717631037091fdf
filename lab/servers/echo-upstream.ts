/** An upstream of either kind whose answers hold whatever a test wants, made from the request. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** What the answer says, given the key that came in. */
export type Echo = (key: string) => string;

export interface EchoUpstream {
  readonly url: string;
  /** Keys as they came in. */
  readonly seen: ReadonlySet<string>;
  echo: Echo;
  close(): Promise<void>;
}

function sendChat(response: ServerResponse, text: string): void {
  response.setHeader('content-type', 'text/event-stream');
  const chunk = (delta: unknown, finish: string | null): string =>
    `data: ${JSON.stringify({
      id: 'chat-1',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'deepseek-flash',
      choices: [{ index: 0, delta, finish_reason: finish }],
    })}\n\n`;
  response.write(chunk({ role: 'assistant', content: text }, null));
  response.end(`${chunk({}, 'stop')}data: [DONE]\n\n`);
}

function sendSearch(response: ServerResponse, snippet: string): void {
  response.setHeader('content-type', 'application/json');
  const result = { title: 'A page', url: 'https://example.org/', snippet, date: null };
  response.end(JSON.stringify({ id: 'search-1', results: [result] }));
}

export async function startEchoUpstream(echo: Echo): Promise<EchoUpstream> {
  const seen = new Set<string>();
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const key = (request.headers.authorization ?? '').replace(/^Bearer /, '');
    seen.add(key);
    const text = upstream.echo(key);
    const send = request.url?.includes('chat') === true ? sendChat : sendSearch;
    request.resume().once('end', () => send(response, text));
  };
  const server = createServer(answer);
  const upstream = {
    url: '',
    seen,
    echo,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  upstream.url = `http://127.0.0.1:${address.port}`;
  return upstream;
}
