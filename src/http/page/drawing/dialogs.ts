/** Dialogs and short messages. */

import { create, find, setAttribute, setText } from './elements.ts';

const TOAST_MS = 6_000;

export function toast(text: string, tone: 'good' | 'warn' | 'bad'): void {
  const note = create('p', { class: 'toast', 'data-tone': tone }, text);
  find('toasts', HTMLElement).append(note);
  setTimeout(() => note.remove(), TOAST_MS);
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'Something went wrong.';
}

export class FormDialog {
  readonly #dialog: HTMLDialogElement;
  readonly #form: HTMLFormElement;
  readonly #problem: HTMLElement;
  #submit: () => Promise<boolean> = () => Promise.resolve(true);

  constructor(dialogId: string, formId: string) {
    this.#dialog = find(dialogId, HTMLDialogElement);
    this.#form = find(formId, HTMLFormElement);
    const problem = this.#form.querySelector('.notice');
    if (!(problem instanceof HTMLElement)) throw new Error(`${formId} has no place for problems`);
    this.#problem = problem;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#send();
    });
    this.#form.querySelector('[data-close]')?.addEventListener('click', () => this.close());
    // Whatever way it is closed, a value that was typed does not stay in the page.
    this.#dialog.addEventListener('close', () => this.#form.reset());
  }

  /** @param submit true closes the dialog; what it throws is shown in it */
  open(submit: () => Promise<boolean>): void {
    this.#submit = submit;
    this.#say('');
    this.#dialog.showModal();
  }

  close(): void {
    this.#dialog.close();
  }

  #say(text: string): void {
    setText(this.#problem, text);
    setAttribute(this.#problem, 'hidden', text === '');
  }

  async #send(): Promise<void> {
    setAttribute(this.#form, 'aria-busy', true);
    this.#say('');
    try {
      if (await this.#submit()) this.close();
    } catch (error) {
      this.#say(reasonOf(error));
    } finally {
      setAttribute(this.#form, 'aria-busy', null);
    }
  }
}
