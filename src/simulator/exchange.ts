/** One request and its answer, with the client's disconnect as a signal. */

import type { IncomingMessage, ServerResponse } from 'node:http';

/** The client closed the connection, or the simulator is closing; unwinds a handler. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

export class SimulatedExchange {
  readonly path: string;
  readonly method: string;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #gone = false;
  /** Ends the one wait that is going on. An AbortSignal would do, at three times the cost. */
  #interrupt: (() => void) | null = null;
  #finished = false;
  #dripMs = 0;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
    this.method = request.method ?? 'GET';
    this.path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    response.on('close', () => {
      if (!response.writableFinished) this.#leave();
    });
    response.on('error', () => this.#leave());
  }

  #leave(): void {
    this.#gone = true;
    this.#interrupt?.();
  }

  /** Waits until `begin` calls back, or the client leaves; `stop` undoes what `begin` began. */
  #until(begin: (done: () => void) => () => void): Promise<void> {
    if (this.#gone) return Promise.reject(new ClientGone());
    return new Promise((resolve, reject) => {
      const stop = begin(() => {
        this.#interrupt = null;
        resolve();
      });
      this.#interrupt = () => {
        this.#interrupt = null;
        stop();
        reject(new ClientGone());
      };
    });
  }

  get status(): number | null {
    return this.#response.headersSent ? this.#response.statusCode : null;
  }

  /** True when the client left before we were done with it. */
  get clientLeft(): boolean {
    return this.#gone && !this.#finished;
  }

  header(name: string): string | null {
    const value = this.#request.headers[name];
    return typeof value === 'string' ? value : null;
  }

  headers(): Record<string, string> {
    const seen: Record<string, string> = {};
    for (const [name, value] of Object.entries(this.#request.headers)) {
      if (name !== 'authorization' && value !== undefined) seen[name] = String(value);
    }
    return seen;
  }

  /** @returns the body's text, or null when it is larger than `limit` bytes */
  async readBody(limit: number): Promise<string | null> {
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of this.#request) {
        const bytes = Buffer.from(chunk);
        size += bytes.length;
        if (size <= limit) chunks.push(bytes);
      }
    } catch {
      throw new ClientGone();
    }
    return size > limit ? null : Buffer.concat(chunks).toString('utf8');
  }

  /** Sends every following byte alone, `ms` apart; 0 for normal writes. */
  drip(ms: number): void {
    this.#dripMs = ms;
  }

  /** @throws ClientGone as soon as the client disconnects */
  async wait(ms: number): Promise<void> {
    if (ms <= 0 && !this.#gone) return;
    await this.#until((done) => {
      const timer = setTimeout(done, ms);
      return () => clearTimeout(timer);
    });
  }

  /** Holds the connection open until the client has enough of it. */
  async silence(): Promise<never> {
    for (;;) await this.wait(3_600_000);
  }

  /** Headers that every answer of this exchange carries. */
  addHeaders(headers: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(headers)) this.#response.setHeader(name, value);
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    this.#response.writeHead(status, { ...headers });
    this.#response.flushHeaders();
  }

  /** @throws ClientGone */
  async write(text: string): Promise<void> {
    if (this.#dripMs === 0) return await this.#push(text);
    for (const byte of Buffer.from(text, 'utf8')) {
      await this.#push(Uint8Array.of(byte));
      await this.wait(this.#dripMs);
    }
  }

  async #push(chunk: string | Uint8Array): Promise<void> {
    if (this.#gone) throw new ClientGone();
    if (this.#response.write(chunk)) return;
    await this.#until((done) => {
      this.#response.once('drain', done);
      return () => this.#response.off('drain', done);
    });
  }

  end(): void {
    this.#finished = true;
    this.#response.end();
  }

  /** A whole answer at once; headers without content-type stay without one. */
  async send(
    status: number,
    body: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<void> {
    this.head(status, headers);
    await this.write(body);
    this.end();
  }

  /** RST rather than FIN: what a crashed gateway looks like. */
  reset(): void {
    this.#finished = true;
    this.#request.socket.resetAndDestroy();
  }
}
