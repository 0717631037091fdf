/** What was spent, by whatever somebody wants to know it by, over the time that is chosen. */

import {
  MONEY_FACETS,
  MONEY_SPANS,
  type MoneyFacet,
  type MoneySpan,
  type MoneyView,
  type SpentBy,
} from '../../api/money-view.ts';
import { create, Keyed, setAttribute, setText } from '../drawing/elements.ts';
import { aboutText, costText } from './money-format.ts';

const SPAN_NAMES: Readonly<Record<MoneySpan, string>> = {
  today: 'Today',
  week: '7 days',
  month: 'This month',
};
const FACET_NAMES: Readonly<Record<MoneyFacet, string>> = {
  model: 'Model',
  client: 'Client',
  account: 'Account',
  key: 'Key',
};
/** More are shown when somebody asks. */
const FEW = 8;

/** Buttons of which one is pressed. */
class Choice<T extends string> {
  readonly root: HTMLElement;
  readonly #buttons: ReadonlyArray<readonly [T, HTMLButtonElement]>;
  chosen: T;

  constructor(
    label: string,
    names: Readonly<Record<T, string>>,
    values: readonly T[],
    chosen: T,
    onChange: () => void,
  ) {
    this.chosen = chosen;
    this.#buttons = values.map((value) => {
      const button = create('button', { type: 'button', class: 'quiet' }, names[value]);
      button.addEventListener('click', () => {
        this.chosen = value;
        this.#mark();
        onChange();
      });
      return [value, button];
    });
    const buttons = this.#buttons.map(([, button]) => button);
    this.root = create(
      'div',
      { class: 'segments', role: 'group', 'aria-label': label },
      ...buttons,
    );
    this.#mark();
  }

  #mark(): void {
    for (const [value, button] of this.#buttons) {
      setAttribute(button, 'aria-pressed', value === this.chosen ? 'true' : 'false');
    }
  }
}

class SpentRow {
  readonly root: HTMLElement;
  readonly #about = create('span', { class: 'muted small' });
  readonly #fill = create('i');
  readonly #peak = create('i', { class: 'peak' });
  readonly #cost = create('td', { class: 'cost' });

  constructor(name: string) {
    const bar = create('div', { class: 'share', 'aria-hidden': 'true' }, this.#fill, this.#peak);
    const head = create('th', { scope: 'row' }, create('span', {}, name), bar, this.#about);
    this.root = create('tr', {}, head, this.#cost);
  }

  show(spent: SpentBy, most: number): void {
    const width = (usd: number): string => `${most === 0 ? 0 : (100 * usd) / most}%`;
    this.#fill.style.setProperty('inline-size', width(spent.usd - spent.peakUsd));
    this.#peak.style.setProperty('inline-size', width(spent.peakUsd));
    setText(this.#about, aboutText(spent));
    // One column, one number of decimals.
    setText(this.#cost, costText(spent, most < 1 ? 4 : 2));
  }
}

export class SpentTable {
  readonly root: HTMLElement;
  readonly #span = new Choice('Time', SPAN_NAMES, MONEY_SPANS, 'month', () => this.#draw());
  readonly #facet = new Choice('Spent by', FACET_NAMES, MONEY_FACETS, 'model', () => {
    this.#isWhole = false;
    this.#draw();
  });
  readonly #caption = create('caption', { class: 'unseen' });
  readonly #name = create('th', { scope: 'col' });
  readonly #body = create('tbody');
  readonly #rows = new Keyed(this.#body, (name) => new SpentRow(name));
  readonly #nothing = create('p', { class: 'muted empty' }, 'No attempt in this time.');
  readonly #more = create('button', { type: 'button', class: 'quiet', hidden: '' }, 'Show all');
  #isWhole = false;
  #view: MoneyView | null = null;

  constructor() {
    const head = create(
      'tr',
      {},
      this.#name,
      create('th', { scope: 'col', class: 'cost' }, 'Cost'),
    );
    const table = create('table', {}, this.#caption, create('thead', {}, head), this.#body);
    this.#more.addEventListener('click', () => {
      this.#isWhole = !this.#isWhole;
      this.#draw();
    });
    this.root = create(
      'div',
      { class: 'card spent' },
      create('div', { class: 'head' }, create('h2', {}, 'Spent by'), this.#facet.root),
      this.#span.root,
      table,
      this.#nothing,
      this.#more,
    );
  }

  show(view: MoneyView): void {
    this.#view = view;
    this.#draw();
  }

  #draw(): void {
    if (this.#view === null) return;
    const [span, facet] = [this.#span.chosen, this.#facet.chosen];
    const { list, more } = this.#view.spans[span].by[facet];
    setText(this.#caption, `${FACET_NAMES[facet]} and cost, ${SPAN_NAMES[span].toLowerCase()}`);
    setText(this.#name, FACET_NAMES[facet]);
    const shown = this.#isWhole ? list : list.slice(0, FEW);
    const rows = this.#rows.show(shown.map(({ name }) => name));
    const most = Math.max(0, ...list.map(({ usd }) => usd));
    for (const [at, spent] of shown.entries()) rows[at]?.show(spent, most);
    setAttribute(this.#nothing, 'hidden', list.length > 0);
    setAttribute(this.#more, 'hidden', list.length <= FEW);
    const rest = more === 0 ? '' : `, of ${list.length + more}`;
    setText(this.#more, this.#isWhole ? 'Show fewer' : `Show all ${list.length}${rest}`);
  }
}
