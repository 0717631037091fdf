/** Keys that turned out to be of one account, and what writes that down for good. */

import type { AccountSnapshot } from '../../pool/snapshot.ts';
import { create, Keyed, setText } from './drawing/elements.ts';
import { capitalised } from './drawing/format.ts';

class FoundAccount {
  readonly root = create('p');
  readonly #keys = create('span');
  readonly #commands = create('code');

  constructor() {
    this.root.append(this.#keys, this.#commands);
  }

  show({ keys, advice }: AccountSnapshot): void {
    const names = `${keys.slice(0, -1).join(', ')} and ${keys.at(-1) ?? ''}`;
    const [next = '', ...commands] = (advice ?? '').split(': ');
    const said = `${names} share one account, as their refusals showed; nobody has said so.`;
    setText(this.#keys, `${said} ${capitalised(next)}:`);
    setText(this.#commands, commands.join(': '));
  }
}

export class FoundAccountsSection {
  readonly root = create('div', { class: 'found small' });
  readonly #accounts = new Keyed(this.root, () => new FoundAccount());

  show(accounts: readonly AccountSnapshot[]): void {
    const found = accounts.filter(({ found: isFound, keys }) => isFound && keys.length > 1);
    const rows = this.#accounts.show(found.map(({ account }) => account));
    for (const [at, account] of found.entries()) rows[at]?.show(account);
  }
}
