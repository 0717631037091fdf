/** The caps, and how much of each is spent. */

import { dollars } from '../../../base/text/dollars.ts';
import type { BudgetView } from '../../api/money-view.ts';
import { create, Keyed, setAttribute, setText } from '../drawing/elements.ts';
import { type BudgetTone, budgetTone, percent, scopeText } from './money-format.ts';

const STATES: Readonly<Record<BudgetTone, string>> = {
  good: 'Holds',
  warn: 'Nearly spent',
  bad: 'Spent',
};

function aboutBudget({ usd, spentUsd, resets }: BudgetView): string {
  if (spentUsd === null) return 'Every session begins at nothing.';
  const spent = `${dollars(spentUsd)} spent, ${percent(spentUsd, usd)}`;
  return `${spent} · begins anew on ${resets ?? 'another day'}`;
}

class BudgetRow {
  readonly root: HTMLElement;
  readonly #name = create('strong');
  readonly #scope = create('span', { class: 'muted small' });
  readonly #state = create('span', { class: 'chip' });
  readonly #fill = create('i');
  readonly #meter: HTMLElement;
  readonly #about = create('p', { class: 'muted small' });

  constructor() {
    const mark = create('b', { title: 'four fifths' });
    this.#meter = create('div', { class: 'meter', 'aria-hidden': 'true' }, this.#fill, mark);
    const names = create('div', { class: 'names' }, this.#name, this.#scope);
    this.root = create(
      'li',
      {},
      create('div', { class: 'row' }, names, this.#state),
      this.#meter,
      this.#about,
    );
  }

  show(budget: BudgetView): void {
    const { usd, per, spentUsd } = budget;
    const tone = budgetTone(budget);
    setAttribute(this.root, 'data-tone', tone);
    setText(this.#name, `${dollars(usd)} a ${per}`);
    setText(this.#scope, `for ${scopeText(budget)}`);
    setText(this.#state, STATES[tone]);
    setAttribute(this.#meter, 'hidden', spentUsd === null);
    const part = Math.min(1, (spentUsd ?? 0) / usd);
    this.#fill.style.setProperty('inline-size', `${(100 * part).toFixed(1)}%`);
    setText(this.#about, aboutBudget(budget));
  }
}

export class BudgetList {
  readonly root: HTMLElement;
  readonly #list = create('ul', { class: 'budgets' });
  readonly #rows = new Keyed(this.#list, () => new BudgetRow());
  readonly #nothing = create(
    'p',
    { class: 'muted' },
    'None is set: nothing caps what may be spent.',
  );
  readonly #problem = create('p', { class: 'notice', 'data-tone': 'bad' });

  constructor() {
    this.root = create(
      'div',
      { class: 'card budgets-card' },
      create('h2', {}, 'Budgets'),
      this.#problem,
      this.#list,
      this.#nothing,
      create('p', { class: 'muted small' }, create('code', {}, 'keypool-mcp budget set 5/day')),
    );
  }

  show(budgets: readonly BudgetView[], problem: string | null): void {
    setText(this.#problem, problem ?? '');
    setAttribute(this.#problem, 'hidden', problem === null);
    setAttribute(this.#nothing, 'hidden', budgets.length > 0 || problem !== null);
    setAttribute(this.#list, 'hidden', budgets.length === 0);
    const rows = this.#rows.show(budgets.map(({ name }) => name));
    for (const [at, budget] of budgets.entries()) rows[at]?.show(budget);
  }
}
