/** Settings: the keys of the store, and which environment is served. */

import { FAMILIES, freeName } from '../../base/keys/key-names.ts';
import type {
  Environments,
  ImportResult,
  KeyListing,
  KeyPutResult,
  VerifyVerdict,
} from '../api/admin.ts';
import { FormDialog, reasonOf, toast } from './drawing/dialogs.ts';
import { create, find, Keyed, setAttribute, setText } from './drawing/elements.ts';
import { ask } from './session.ts';

const NO_NAME = 'default';

const VERDICTS: Readonly<
  Record<VerifyVerdict['verdict'], { tone: 'good' | 'warn' | 'bad'; text: string }>
> = {
  ok: { tone: 'good', text: 'Works' },
  invalid_key: { tone: 'bad', text: 'Rejected' },
  no_credit: { tone: 'bad', text: 'No balance' },
  unknown: { tone: 'warn', text: 'Not known' },
};

function pathOf(name: string): string {
  return `/api/keys/${encodeURIComponent(name)}`;
}

interface RowActions {
  readonly verify: (row: KeyRow) => Promise<void>;
  readonly replace: (name: string, account: string | null) => void;
  readonly remove: (name: string) => void;
}

class KeyRow {
  readonly root: HTMLElement;
  readonly name: string;
  readonly #masked = create('code');
  readonly #about = create('span', { class: 'muted small' });
  readonly #verdict = create('span', { class: 'small verdict', role: 'status' });
  readonly #verify: HTMLButtonElement;
  #account: string | null = null;

  constructor(name: string, actions: RowActions) {
    this.name = name;
    const button = (text: string, act: () => void, className = 'quiet'): HTMLButtonElement => {
      const made = create(
        'button',
        { type: 'button', class: className, 'aria-label': `${text} ${name}` },
        text,
      );
      made.addEventListener('click', act);
      return made;
    };
    this.#verify = button('Verify', () => void actions.verify(this));
    this.root = create(
      'div',
      { class: 'key-row' },
      create('div', { class: 'who' }, create('strong', {}, name), this.#about),
      this.#masked,
      this.#verdict,
      create(
        'div',
        { class: 'actions' },
        this.#verify,
        button('Replace', () => actions.replace(name, this.#account)),
        button('Remove', () => actions.remove(name), 'quiet danger-text'),
      ),
    );
  }

  show(key: KeyListing): void {
    this.#account = key.account;
    setText(this.#masked, key.masked);
    const created = key.created === null ? null : `added ${key.created.slice(0, 10)}`;
    const account = key.account === null ? null : `account ${key.account}`;
    setText(this.#about, [account, created].filter((text) => text !== null).join(' · '));
  }

  judge(text: string, tone: string | null): void {
    setText(this.#verdict, text);
    setAttribute(this.#verdict, 'data-tone', tone);
    this.#verify.disabled = tone === null && text !== '';
  }
}

export class SettingsView {
  readonly #list = find('key-list', HTMLElement);
  readonly #empty = create('p', { class: 'muted empty' }, 'The store holds no key yet.');
  readonly #rows: Keyed<KeyRow>;
  readonly #keyDialog = new FormDialog('key-dialog', 'key-form');
  readonly #pasteDialog = new FormDialog('paste-dialog', 'paste-form');
  readonly #askDialog = new FormDialog('ask-dialog', 'ask-form');
  readonly #environment = find('environment', HTMLSelectElement);
  #names: string[] = [];
  #current: string | null = null;

  constructor() {
    const place = create('div');
    this.#list.append(place, this.#empty);
    const actions: RowActions = {
      verify: (row) => this.#verify(row),
      replace: (name, account) => this.#openKey(name, account),
      remove: (name) => this.#remove(name),
    };
    this.#rows = new Keyed(place, (name) => new KeyRow(name, actions));
    find('add', HTMLButtonElement).addEventListener('click', () => this.#openKey(null, null));
    find('paste', HTMLButtonElement).addEventListener('click', () => this.#openPaste());
    this.#environment.addEventListener('change', () => this.#choose());
  }

  /** Reads keys and environments anew; a store that cannot be opened says why in the list. */
  async refresh(): Promise<void> {
    try {
      const [keys, environments] = await Promise.all([
        ask<KeyListing[]>('GET', '/api/keys'),
        ask<Environments>('GET', '/api/environments'),
      ]);
      this.#showKeys(keys);
      this.#showEnvironments(environments);
      setText(this.#empty, 'The store holds no key yet.');
    } catch (error) {
      this.#showKeys([]);
      setText(this.#empty, reasonOf(error));
    }
  }

  #showKeys(keys: readonly KeyListing[]): void {
    this.#names = keys.map(({ name }) => name);
    const rows = this.#rows.show(this.#names);
    for (const [at, key] of keys.entries()) rows[at]?.show(key);
    setAttribute(this.#empty, 'hidden', keys.length > 0);
  }

  #showEnvironments({ current, available, canChoose }: Environments): void {
    this.#current = current;
    const options = available.map((name) =>
      create('option', { value: name ?? '', selected: name === current }, name ?? NO_NAME),
    );
    this.#environment.replaceChildren(...options);
    this.#environment.value = current ?? '';
    this.#environment.disabled = !canChoose || available.length < 2;
  }

  /** The next free name of each family. */
  #suggestions(): string[] {
    const isTaken = (name: string): boolean => this.#names.includes(name);
    return Object.values(FAMILIES).flatMap((family) => freeName(family, 1, isTaken) ?? []);
  }

  #openKey(name: string | null, account: string | null): void {
    const field = find('key-name', HTMLInputElement);
    const value = find('key-value', HTMLInputElement);
    const label = find('key-account', HTMLInputElement);
    setText(find('key-dialog-title', HTMLElement), name === null ? 'Add key' : `Replace ${name}`);
    const suggestions = this.#suggestions();
    find('key-names', HTMLElement).replaceChildren(
      ...suggestions.map((each) => create('option', { value: each })),
    );
    this.#keyDialog.open(async () => {
      const key = { name: field.value.trim(), value: value.value.trim() };
      const given = label.value.trim();
      const { result } = await ask<{ result: KeyPutResult }>('POST', '/api/keys', {
        ...key,
        ...(given === '' ? {} : { account: given }),
      });
      toast(`${key.name} ${result}.`, 'good');
      await this.refresh();
      return true;
    });
    field.value = name ?? suggestions[0] ?? '';
    field.readOnly = name !== null;
    label.value = account ?? '';
    if (name === null) field.select();
    else value.focus();
  }

  #openPaste(): void {
    const text = find('paste-text', HTMLTextAreaElement);
    const report = document.querySelector('#paste-form .report');
    if (report !== null) setAttribute(report, 'hidden', true);
    this.#pasteDialog.open(async () => {
      const result = await ask<ImportResult>('POST', '/api/keys/import', { text: text.value });
      text.value = '';
      report?.replaceChildren(...reportOf(result));
      if (report !== null) setAttribute(report, 'hidden', null);
      await this.refresh();
      return false;
    });
    text.focus();
  }

  #remove(name: string): void {
    this.#confirm(
      `Remove ${name}?`,
      'The value is deleted from the store. Calls in flight finish; after them the key serves no more.',
      'Remove',
      async () => {
        await ask('DELETE', pathOf(name));
        toast(`${name} removed.`, 'good');
        await this.refresh();
      },
    );
  }

  async #verify(row: KeyRow): Promise<void> {
    row.judge('Asking…', null);
    try {
      const found = await ask<VerifyVerdict>('POST', `${pathOf(row.name)}/verify`);
      const { tone, text } = VERDICTS[found.verdict];
      row.judge(`${text}: ${found.detail}`, tone);
    } catch (error) {
      row.judge(reasonOf(error), 'bad');
    }
  }

  #choose(): void {
    const chosen = this.#environment.value === '' ? null : this.#environment.value;
    this.#environment.value = this.#current ?? '';
    const name = chosen ?? NO_NAME;
    const text = 'Every client of this server is served with the keys of that store from then on.';
    this.#confirm(`Serve the environment ${name}?`, text, 'Change', async () => {
      await ask('POST', '/api/environment', { environment: chosen });
      toast(`The environment is ${name} now.`, 'good');
      await this.refresh();
    });
  }

  #confirm(title: string, text: string, yes: string, act: () => Promise<void>): void {
    setText(find('ask-dialog-title', HTMLElement), title);
    setText(find('ask-text', HTMLElement), text);
    setText(find('ask-yes', HTMLElement), yes);
    this.#askDialog.open(async () => {
      await act();
      return true;
    });
  }
}

function reportOf({ added, unchanged, skipped }: ImportResult): HTMLElement[] {
  const line = (label: string, names: readonly string[]): HTMLElement[] =>
    names.length === 0
      ? []
      : [create('p', {}, create('strong', {}, label), ` ${names.join(', ')}`)];
  return [
    ...line('Added', added),
    ...line('Unchanged', unchanged),
    ...line(
      'Skipped',
      skipped.map(({ name, reason }) => `${name ?? 'a line'} (${reason})`),
    ),
    ...(added.length + unchanged.length + skipped.length === 0
      ? [create('p', {}, 'No key was found in the text.')]
      : []),
  ];
}
