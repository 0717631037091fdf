/**
 * One request and its answer, as undici's dispatcher tells of them (its documentation, under
 * `Dispatcher.dispatch`). Pieces reach their reader in the very turn in which they arrive.
 */

import type { Dispatcher } from 'undici';
import { type Answer, type Take, TransportError } from './body.ts';
import { type Packed, unpacked } from './unpack.ts';

type Controller = Dispatcher.DispatchController;

interface Reader {
  readonly take: Take;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class Exchange implements Dispatcher.DispatchHandler, Packed {
  /** Rejects with the socket's error, or with the signal's reason. */
  readonly answered: Promise<Answer>;
  readonly #signal: AbortSignal;
  #resolve: (answer: Answer) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #controller: Controller | null = null;
  /** Null before somebody reads, and when they have enough. */
  #reader: Reader | null = null;
  #isRead = false;
  /** What came before somebody read it: a piece or two, for the connection then pauses. */
  #early: Uint8Array[] = [];
  #end: 'whole' | { readonly error: Error } | null = null;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    this.answered = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    signal.addEventListener('abort', this.#onAbort, { once: true });
    if (signal.aborted) this.#onAbort();
  }

  get isOver(): boolean {
    return this.#end !== null;
  }

  read(take: Take): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#isRead = true;
      this.#reader = { take, resolve, reject };
      const early = this.#early;
      this.#early = [];
      for (const bytes of early) this.#hand(bytes);
      if (this.#end !== null) this.#tell(this.#end);
      else if (early.length > 0) this.resume();
    });
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  destroy(): void {
    this.#breakOff(new Error('the body was closed'));
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (this.#end !== null && this.#end !== 'whole') controller.abort(this.#end.error);
  }

  onResponseStart(
    _controller: Controller,
    status: number,
    fields: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    if (status < 200) return;
    const get = (name: string): string | null => {
      const value = fields[name.toLowerCase()];
      if (value === undefined) return null;
      return typeof value === 'string' ? value : value.join(', ');
    };
    const body = unpacked(this, get('content-encoding'));
    this.#resolve({ status, ok: status < 300, headers: { get }, body });
  }

  onResponseData(_controller: Controller, bytes: Uint8Array): void {
    if (this.#isRead) this.#hand(bytes);
    else {
      this.#early.push(bytes);
      this.pause();
    }
  }

  onResponseEnd(): void {
    this.#finish('whole');
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.#finish({ error });
  }

  /** The signal's reason is handed on as the error of whoever waits or reads. */
  readonly #onAbort = (): void => {
    const { reason } = this.#signal;
    this.#breakOff(reason instanceof Error ? reason : new Error('aborted', { cause: reason }));
  };

  #breakOff(error: Error): void {
    if (this.#end !== null) return;
    this.#finish({ error });
    this.#controller?.abort(error);
  }

  #finish(end: 'whole' | { readonly error: Error }): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.#signal.removeEventListener('abort', this.#onAbort);
    if (end !== 'whole') this.#reject(end.error);
    this.#tell(end);
  }

  #tell(end: 'whole' | { readonly error: Error }): void {
    const reader = this.#reader;
    this.#reader = null;
    if (end === 'whole') reader?.resolve();
    else reader?.reject(new TransportError(end.error));
  }

  /** What comes when its reader has enough flows by. */
  #hand(bytes: Uint8Array): void {
    const reader = this.#reader;
    if (reader === null) return;
    try {
      if (reader.take(bytes) === 'more') return;
      reader.resolve();
    } catch (error) {
      reader.reject(error);
      this.destroy();
    }
    this.#reader = null;
  }
}
