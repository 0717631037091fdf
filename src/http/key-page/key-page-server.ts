/**
 * A listener for one page alone: loopback, a free port, an address that nobody can guess. It takes
 * keys once; it shows nothing, and knows no other route.
 */

import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Logger } from '../../base/logger.ts';
import { decodeUtf8 } from '../../base/text/strict-utf8.ts';
import { hostRefusal, originRefusal, pathOf, SAFETY_HEADERS } from '../door/guard.ts';
import { type ServedNames, servedNames, urlOf } from '../door/served-names.ts';
import { listen } from '../listen.ts';
import { loadPage, type PageFile } from '../page-files.ts';
import { readBytes } from '../request-body.ts';
import {
  closedPage,
  donePage,
  formPage,
  type KeyPageAbout,
  type StoredKey,
} from './key-page-html.ts';

/** `problem` is a sentence of ours. */
export type TakenKeys =
  | { readonly ok: true; readonly stored: readonly StoredKey[] }
  | { readonly ok: false; readonly problem: string };

export interface KeyPageOptions {
  readonly about: KeyPageAbout;
  /** Judges and stores what a person put in. */
  readonly take: (text: string) => Promise<TakenKeys>;
  readonly openMs: number;
  readonly pageFolder: URL;
  readonly redact: (text: string) => string;
  readonly logger: Logger;
}

export interface OpenPage {
  readonly url: string;
  /** From now on the page only says that it is closed. */
  close(): void;
}

const ADDRESS = '127.0.0.1';
/** Fifty keys of the greatest length, percent-encoded. */
const FORM_LIMIT = 256 * 1024;
/** So long a closed page says so to whoever looks again; then nobody is there. */
const LINGER_MS = 60_000;
const LIMITS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
} as const;

const HEADERS: Readonly<Record<string, string>> = {
  ...SAFETY_HEADERS,
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; " +
    "base-uri 'none'; frame-ancestors 'none'",
};

/** Of the dashboard's files, which hold no data: its look. */
const FILES = ['/dashboard/page.css', '/dashboard/icon.svg'];

/** A page that sends no referrer sends no origin with its form, either; the browser says whose it is. */
function isOwnForm({ headers, method }: IncomingMessage): boolean {
  return (
    method === 'POST' && headers.origin === 'null' && headers['sec-fetch-site'] === 'same-origin'
  );
}

function isSamePath(path: string, expected: string): boolean {
  const [given, wanted] = [Buffer.from(path), Buffer.from(expected)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** @returns the text of the form; a status where there is none */
async function formText(request: IncomingMessage): Promise<string | 'gone' | 400 | 413 | 415> {
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(type.trim())) return 415;
  const bytes = await readBytes(request, FORM_LIMIT);
  if (bytes === 'gone') return 'gone';
  if (bytes === 'too large') return 413;
  const text = decodeUtf8(bytes);
  return text === null ? 400 : (new URLSearchParams(text).get('key') ?? '');
}

class KeyPageServer {
  readonly #options: KeyPageOptions;
  readonly #path = `/key/${randomBytes(32).toString('base64url')}`;
  readonly #until: Date;
  readonly #files: ReadonlyMap<string, PageFile>;
  #names: ServedNames = { hosts: new Set(), origins: new Set() };
  #state: 'open' | 'busy' | 'closed' = 'open';
  #stop: () => void = () => {};

  constructor(options: KeyPageOptions, files: ReadonlyMap<string, PageFile>) {
    this.#options = options;
    this.#files = files;
    this.#until = new Date(Date.now() + options.openMs);
  }

  async start(): Promise<OpenPage> {
    const create = () =>
      createServer(LIMITS, (request, response) => {
        this.#serve(request, response).catch((error: unknown) => {
          this.#options.logger.error('the page for a missing key failed', { error });
          response.destroy();
        });
      });
    const { port, servers } = await listen(create, ADDRESS, 0);
    this.#names = servedNames(ADDRESS, port, []);
    for (const server of servers) {
      server.maxConnections = 16;
      server.unref();
    }
    const timer = setTimeout(() => this.#close(), this.#options.openMs).unref();
    this.#stop = () => {
      clearTimeout(timer);
      const goes = (): void => {
        for (const server of servers) {
          server.close();
          server.closeAllConnections();
        }
      };
      setTimeout(goes, LINGER_MS).unref();
    };
    return { url: `${urlOf(ADDRESS, port)}${this.#path}`, close: () => this.#close() };
  }

  #close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#stop();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    const own = { names: this.#names, allowedOrigins: new Set<string>() };
    const stranger =
      hostRefusal(request, own.names) ?? (isOwnForm(request) ? null : originRefusal(request, own));
    const path = pathOf(request);
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const file = FILES.includes(path) ? this.#files.get(path) : undefined;
    if (stranger !== null) plain(response, 403, 'This page is for this computer alone.');
    else if (isRead && file !== undefined) {
      response.writeHead(200, { 'Content-Type': file.type }).end(file.bytes);
    } else if (!isSamePath(path, this.#path)) plain(response, 404, 'Nothing is served here.');
    else if (isRead) await this.#show(response);
    else if (request.method === 'POST') await this.#receive(request, response);
    else {
      response.setHeader('Allow', 'GET, HEAD, POST');
      plain(response, 405, 'This page is read, and sent back.');
    }
  }

  async #show(response: ServerResponse): Promise<void> {
    const { about } = this.#options;
    if (this.#state === 'closed') await this.#send(response, 410, closedPage(about));
    else await this.#send(response, 200, formPage(about, this.#until, null));
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { about, take } = this.#options;
    if (this.#state !== 'open') {
      if (this.#state === 'busy') plain(response, 409, 'A key is being checked; wait a moment.');
      else await this.#show(response);
      return;
    }
    this.#state = 'busy';
    try {
      const text = await formText(request);
      if (text === 'gone') return;
      if (typeof text === 'number') {
        response.setHeader('Connection', 'close');
        plain(response, text, 'This is not what the page sends.');
        return;
      }
      const taken = await take(text);
      if (taken.ok) {
        this.#close();
        await this.#send(response, 200, donePage(about, taken.stored));
      } else await this.#send(response, 422, formPage(about, this.#until, taken.problem));
    } finally {
      if (this.#state === 'busy') this.#state = 'open';
    }
  }

  async #send(
    response: ServerResponse,
    status: number,
    markup: ReturnType<typeof formPage>,
  ): Promise<void> {
    const text = this.#options.redact(String(await markup));
    response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8' }).end(text);
  }
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

/** @throws ConfigError where this machine gives no socket */
export async function openKeyPage(options: KeyPageOptions): Promise<OpenPage> {
  return new KeyPageServer(options, await loadPage(options.pageFolder)).start();
}
