/** One figure with its name and a note. */

import { create, setAttribute, setText } from './elements.ts';

export class Tile {
  readonly root: HTMLElement;
  readonly #value = create('strong');
  readonly #note = create('span', { class: 'muted small' });

  constructor(label: string) {
    const title = create('span', { class: 'muted' }, label);
    this.root = create('div', { class: 'card tile' }, title, this.#value, this.#note);
  }

  show(value: string, note: string, tone: string | null = null): void {
    setText(this.#value, value);
    setText(this.#note, note);
    setAttribute(this.root, 'data-tone', tone);
  }
}
