/** What the accounts have, as their provider said, and how long it lasts. */

import type { BalanceView } from '../../api/money-view.ts';
import { create, Keyed, setAttribute, setText } from '../drawing/elements.ts';
import { ago } from '../drawing/format.ts';
import { balanceTone, lastsText } from './money-format.ts';

const HEADS = ['Account', 'Balance', 'Lasts', 'Read'];

class BalanceRow {
  readonly root = create('tr');
  readonly #account = create('th', { scope: 'row' });
  readonly #cells = HEADS.slice(1).map((label) => create('td', { 'data-label': label }));

  constructor() {
    this.root.append(this.#account, ...this.#cells);
  }

  show(balance: BalanceView, now: number): void {
    const { account, currency, amount, readAt } = balance;
    setText(this.#account, account);
    const texts = [`${amount.toFixed(2)} ${currency}`, lastsText(balance), ago(readAt, now)];
    for (const [at, text] of texts.entries()) {
      const cell = this.#cells[at];
      if (cell !== undefined) setText(cell, text);
    }
    setAttribute(this.root, 'data-tone', balanceTone(balance));
  }
}

export class BalanceTable {
  readonly root: HTMLElement;
  readonly #body = create('tbody');
  readonly #rows = new Keyed(this.#body, () => new BalanceRow());
  readonly #table: HTMLElement;
  readonly #nothing = create(
    'p',
    { class: 'muted' },
    'None was read yet. DeepSeek is asked soon after a first call; Perplexity tells nobody.',
  );

  constructor() {
    const head = create('tr', {}, ...HEADS.map((text) => create('th', { scope: 'col' }, text)));
    this.#table = create(
      'table',
      {},
      create('caption', { class: 'unseen' }, 'Balances of the accounts'),
      create('thead', {}, head),
      this.#body,
    );
    this.root = create(
      'div',
      { class: 'card accounts balances' },
      create('h2', {}, 'Balances'),
      this.#nothing,
      this.#table,
    );
  }

  show(balances: readonly BalanceView[], now: number): void {
    setAttribute(this.#nothing, 'hidden', balances.length > 0);
    setAttribute(this.#table, 'hidden', balances.length === 0);
    const rows = this.#rows.show(
      balances.map(({ account, currency }) => JSON.stringify([account, currency])),
    );
    for (const [at, balance] of balances.entries()) rows[at]?.show(balance, now);
  }
}
