/**
 * A client on stdio that reads no more of an answer than its id, so that what is measured is the
 * server, not a client library.
 */

import { Program, type Variables } from '../lab/program/program.ts';

export class LineClient {
  readonly #program: Program;
  readonly #waiting = new Map<number, (answer: string) => void>();
  #nextId = 1;

  constructor(env: Variables) {
    this.#program = new Program({ args: ['serve'], env });
    this.#program.onLine = (line) => this.#take(line);
  }

  get pid(): number {
    return this.#program.pid;
  }

  #take(line: string): void {
    // Nobody looks back.
    this.#program.lines.length = 0;
    const id = Number(/"id":(\d+)/.exec(line)?.[1]);
    this.#waiting.get(id)?.(line);
    this.#waiting.delete(id);
  }

  #send(message: object): void {
    this.#program.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }

  #request(method: string, params: object): Promise<string> {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#send({ id, method, params });
    });
  }

  async initialize(): Promise<void> {
    const clientInfo = { name: 'bench', version: '0' };
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
    await this.#request('initialize', params);
    this.#send({ method: 'notifications/initialized' });
  }

  /** @throws Error for whatever is no result of the tool */
  async call(name: string, args: object): Promise<void> {
    const answer = await this.#request('tools/call', { name, arguments: args });
    const isGood = answer.includes('"structuredContent"') && !answer.includes('"isError":true');
    if (!isGood) throw new Error(answer.slice(0, 500));
  }

  async close(): Promise<void> {
    this.#program.end();
    await this.#program.exit;
  }
}
