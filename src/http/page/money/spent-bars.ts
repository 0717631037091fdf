/** A column for each day or hour, its part at peak prices on top. */

import { dollars } from '../../../base/text/dollars.ts';
import type { Spent } from '../../api/money-view.ts';
import { create, Keyed, setAttribute, setText } from '../drawing/elements.ts';
import { attemptsText, costText, percent } from './money-format.ts';

export interface Bar {
  /** Of its own among the bars: a day, an hour. */
  readonly name: string;
  readonly spent: Spent;
}

class Column {
  readonly root: HTMLElement;
  readonly #peak = create('i', { class: 'peak' });
  readonly #rest = create('i');

  constructor() {
    this.root = create('div', { class: 'column' }, this.#peak, this.#rest);
  }

  show({ name, spent }: Bar, most: number): void {
    const height = (usd: number): string => `${most === 0 ? 0 : (100 * usd) / most}%`;
    this.#peak.style.setProperty('block-size', height(spent.peakUsd));
    this.#rest.style.setProperty('block-size', height(spent.usd - spent.peakUsd));
    const peak = spent.peakUsd > 0 ? `, ${percent(spent.peakUsd, spent.usd)} at peak prices` : '';
    const about = `${costText(spent)}, ${attemptsText(spent.attempts)}${peak}`;
    setAttribute(this.root, 'title', `${name}: ${about}`);
  }
}

export class SpentBars {
  readonly root: HTMLElement;
  readonly #title: string;
  readonly #most = create('span', { class: 'most muted small' });
  readonly #plot = create('div', { class: 'columns', role: 'img' });
  readonly #axis = create('div', { class: 'axis muted small', 'aria-hidden': 'true' });
  readonly #columns = new Keyed(this.#plot, () => new Column());

  constructor(title: string) {
    this.#title = title;
    this.root = create(
      'div',
      { class: 'card bars' },
      create('div', { class: 'head' }, create('h2', {}, title), this.#most),
      this.#plot,
      this.#axis,
    );
  }

  /** @param labels what stands below, spread from the first bar to the last */
  show(bars: readonly Bar[], labels: readonly string[], nothing: string): void {
    const most = Math.max(...bars.map(({ spent }) => spent.usd));
    const columns = this.#columns.show(bars.map(({ name }) => name));
    for (const [at, bar] of bars.entries()) columns[at]?.show(bar, most);
    setText(this.#most, most === 0 ? '' : `at most ${dollars(most)}`);
    setAttribute(this.#plot, 'aria-label', this.#label(bars, most, nothing));
    setAttribute(this.#plot, 'data-nothing', most === 0 ? nothing : null);
    if (this.#axis.childElementCount === labels.length) {
      for (const [at, label] of labels.entries()) {
        const place = this.#axis.children[at];
        if (place !== undefined) setText(place, label);
      }
    } else this.#axis.replaceChildren(...labels.map((label) => create('span', {}, label)));
  }

  #label(bars: readonly Bar[], most: number, nothing: string): string {
    if (most === 0) return nothing;
    const sum = bars.reduce((total, { spent }) => total + spent.usd, 0);
    const top = bars.find(({ spent }) => spent.usd === most)?.name ?? '';
    return `${this.#title}: ${dollars(sum)} in all, the most at ${top} with ${dollars(most)}`;
  }
}
