/** Proxies as companies and people run them: CONNECT over http and https, and SOCKS5. */

import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, createServer as createTcpServer, type Socket } from 'node:net';
import { listenOnLoopback } from './local-server.ts';
import type { Certificates } from './test-certificates.ts';

export interface ProxyOptions {
  /** An https proxy; absent: an http one. */
  readonly certificates?: Certificates;
  /** `user:password`; absent: everybody may pass. */
  readonly login?: string;
  /** Where a name leads. Nothing but loopback is ever reached. */
  readonly routes: Readonly<Record<string, number>>;
  /** `hang`: takes the connection and says nothing; `cut`: closes it after CONNECT; `cut-late`:
   * consents first; `garbage`: answers what is no HTTP; a number: the status for everybody, or the
   * reply of SOCKS. */
  readonly manner?: 'hang' | 'cut' | 'cut-late' | 'garbage' | number;
}

export interface TestProxy {
  readonly port: number;
  /** `CONNECT api.example:443`, or the method and address of any other request. */
  readonly seen: string[];
  close(): Promise<void>;
}

function isWelcome(message: IncomingMessage, login: string | undefined): boolean {
  if (login === undefined) return true;
  const expected = `Basic ${Buffer.from(login, 'utf8').toString('base64')}`;
  return message.headers['proxy-authorization'] === expected;
}

function join(one: Socket, other: Socket): void {
  one.pipe(other).pipe(one);
  one.on('error', () => other.destroy());
  other.on('error', () => one.destroy());
}

function misbehave(client: Socket, manner: NonNullable<ProxyOptions['manner']>): void {
  if (manner === 'cut') client.destroy();
  if (manner === 'garbage') client.end('220 mail.example ESMTP\r\n');
  if (manner === 'cut-late') client.end('HTTP/1.1 200 Connection established\r\n\r\n');
  if (typeof manner === 'number') client.end(`HTTP/1.1 ${manner} No\r\ncontent-length: 0\r\n\r\n`);
}

export async function startProxy(options: ProxyOptions): Promise<TestProxy> {
  const { certificates, login, routes, manner } = options;
  const seen: string[] = [];
  const server = certificates === undefined ? createServer() : createHttpsServer(certificates);
  server.on('request', (message: IncomingMessage, response) => {
    seen.push(`${message.method} ${message.url}`);
    response.writeHead(400).end();
  });
  server.on('connect', (message: IncomingMessage, client: Socket) => {
    client.on('error', () => {});
    seen.push(`CONNECT ${message.url}`);
    if (manner !== undefined) return misbehave(client, manner);
    if (!isWelcome(message, login)) return misbehave(client, 407);
    const port = routes[message.url ?? ''];
    if (port === undefined) return misbehave(client, 502);
    const upstream = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      join(client, upstream);
    });
    upstream.on('error', () => misbehave(client, 502));
  });
  return { seen, ...(await listenOnLoopback(server)) };
}

const SOCKS_REPLY = (code: number): Buffer => Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]);

/** Answers one message of a SOCKS5 client after the other (RFC 1928, RFC 1929). */
function socksSession(client: Socket, options: ProxyOptions, seen: string[]): void {
  let step: 'greeting' | 'login' | 'request' = 'greeting';
  const onData = (data: Buffer): void => {
    if (step === 'greeting') {
      step = options.login === undefined ? 'request' : 'login';
      const offered = data.subarray(2);
      const method = options.login === undefined ? 0 : 2;
      client.write(Buffer.from([5, offered.includes(method) ? method : 0xff]));
    } else if (step === 'login') {
      step = 'request';
      const userEnd = 2 + (data[1] ?? 0);
      const given = `${data.subarray(2, userEnd).toString()}:${data.subarray(userEnd + 1).toString()}`;
      client.write(Buffer.from([1, given === options.login ? 0 : 1]));
    } else {
      client.off('data', onData);
      // 3: a name, as clients of socks5h send it; 1: an address.
      const host =
        data[3] === 3
          ? data.subarray(5, 5 + (data[4] ?? 0)).toString()
          : [...data.subarray(4, 8)].join('.');
      const name = `${host}:${data.readUInt16BE(data.length - 2)}`;
      seen.push(`SOCKS ${name}`);
      const { manner, routes } = options;
      if (typeof manner === 'number') return void client.end(SOCKS_REPLY(manner));
      const port = routes[name];
      if (port === undefined) return void client.end(SOCKS_REPLY(2));
      const upstream = connect(port, '127.0.0.1', () => {
        client.write(SOCKS_REPLY(0));
        join(client, upstream);
      });
    }
  };
  client.on('data', onData);
}

export async function startSocksProxy(options: ProxyOptions): Promise<TestProxy> {
  const seen: string[] = [];
  const server = createTcpServer((client) => {
    client.on('error', () => {});
    const { manner = 0 } = options;
    if (typeof manner === 'number') socksSession(client, options, seen);
    else client.once('data', () => misbehave(client, manner));
  });
  return { seen, ...(await listenOnLoopback(server)) };
}
