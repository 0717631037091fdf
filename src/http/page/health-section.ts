/** Health: the tiles, the flow, and every provider with its accounts and keys. */

import type {
  AccountSnapshot,
  KeySnapshot,
  LimitSnapshot,
  PoolSnapshot,
  ProviderSnapshot,
} from '../../pool/snapshot.ts';
import type { Sample } from '../api/history-view.ts';
import { Chart } from './drawing/charts.ts';
import { create, find, Keyed, setAttribute, setText } from './drawing/elements.ts';
import { durationText, nothingSince, rate, share } from './drawing/format.ts';
import { flowOf, recent, waitingOf } from './drawing/series.ts';
import { Tile } from './drawing/tile.ts';
import { FoundAccountsSection } from './found-accounts-section.ts';
import { KeyCard, limitOf, toneOf } from './key-card.ts';

const PROVIDER_NAMES = { deepseek: 'DeepSeek', perplexity: 'Perplexity' } as const;

/** Calls in flight, requests a second where those are limited, and what others use of it. */
function limitText({ model, limit, perSecond, elsewhere }: LimitSnapshot): string {
  const pace = perSecond === null ? '' : `, ${perSecond} a second`;
  return `${limit}${pace} (${model}${elsewhere > 0 ? `, ${elsewhere} in use elsewhere` : ''})`;
}

class AccountRow {
  readonly root = create('tr');
  readonly #cells = Array.from({ length: 4 }, () => create('td'));

  constructor(account: string) {
    const labels = ['In flight', 'Limit found', 'State'];
    const [first, ...rest] = this.#cells;
    if (first !== undefined) first.remove();
    for (const [at, cell] of rest.entries()) setAttribute(cell, 'data-label', labels[at] ?? '');
    this.root.append(create('th', { scope: 'row' }, account), ...rest);
  }

  show(account: AccountSnapshot): void {
    const limits = account.limits.map(limitText).join(', ');
    const cooling = account.coolingMs === null ? '' : ` · ${durationText(account.coolingMs)}`;
    const state = account.reason ?? (account.coolingMs === null ? 'Ready' : 'Cooling');
    const texts = [String(account.inFlight), limits || 'not needed yet', `${state}${cooling}`];
    for (const [at, text] of texts.entries()) {
      const cell = this.#cells[at + 1];
      if (cell !== undefined) setText(cell, text);
    }
    setAttribute(this.root, 'data-tone', state === 'Ready' ? null : 'warn');
  }
}

class ProviderSection {
  readonly root: HTMLElement;
  readonly cards = new Map<string, KeyCard>();
  readonly #about = create('p', { class: 'muted' });
  readonly #breaker = create('span', { class: 'chip' });
  readonly #grid = create('div', { class: 'grid' });
  readonly #rows = create('tbody');
  readonly #keyed: Keyed<KeyCard>;
  readonly #accounts: Keyed<AccountRow>;
  readonly #found = new FoundAccountsSection();
  readonly #empty = create('p', { class: 'muted empty' });

  constructor(provider: string) {
    const name = Object.entries(PROVIDER_NAMES).find(([id]) => id === provider)?.[1] ?? provider;
    const title = create('h2', { id: `provider-${provider}` }, name);
    const heads = ['Account', 'In flight', 'Limit found', 'State'];
    const head = create('tr', {}, ...heads.map((text) => create('th', { scope: 'col' }, text)));
    const table = create(
      'table',
      {},
      create('caption', { class: 'unseen' }, `Accounts of ${name}`),
      create('thead', {}, head),
      this.#rows,
    );
    setText(this.#empty, `No key of ${name} yet. Add one below.`);
    this.root = create(
      'section',
      { class: 'provider', 'aria-labelledby': `provider-${provider}` },
      create('div', { class: 'head' }, title, this.#breaker, this.#about),
      this.#empty,
      this.#grid,
      create('div', { class: 'card accounts' }, table, this.#found.root),
    );
    this.#keyed = new Keyed(this.#grid, (keyName) => {
      const card = new KeyCard(keyName);
      this.cards.set(keyName, card);
      return card;
    });
    this.#accounts = new Keyed(this.#rows, (account) => new AccountRow(account));
  }

  show(state: ProviderSnapshot, now: number): void {
    const queue =
      state.queueDepth === 0
        ? 'Nobody waits'
        : `${state.queueDepth} waiting, the oldest for ${durationText(state.oldestWaitMs)}`;
    const again =
      state.retryInMs === null ? '' : ` · tried again in ${durationText(state.retryInMs)}`;
    setText(this.#about, `${queue}${again}`);
    setText(
      this.#breaker,
      state.breaker === 'closed' ? 'Upstream fine' : `Upstream ${state.breaker}`,
    );
    setAttribute(this.#breaker, 'data-breaker', state.breaker);
    setAttribute(this.#empty, 'hidden', state.keys.length > 0);
    setAttribute(this.root, 'data-empty', state.keys.length === 0);
    const names = state.keys.map(({ name }) => name);
    const cards = this.#keyed.show(names);
    for (const name of this.cards.keys()) if (!names.includes(name)) this.cards.delete(name);
    for (const [at, key] of state.keys.entries()) {
      const account = state.accounts.find((each) => each.account === key.account);
      cards[at]?.show(key, account, now);
    }
    const rows = this.#accounts.show(state.accounts.map(({ account }) => account));
    for (const [at, account] of state.accounts.entries()) rows[at]?.show(account);
    this.#found.show(state.accounts);
  }
}

/** What changed in a key, in words for who listens instead of looking. */
function changeOf(before: KeySnapshot | undefined, after: KeySnapshot): string | null {
  if (before === undefined) return null;
  if (before.breaker !== after.breaker) return `${after.name}: breaker ${after.breaker}`;
  return before.state === after.state ? null : `${after.name}: ${after.state}`;
}

export class Health {
  readonly #tiles = {
    ready: new Tile('Keys ready'),
    calls: new Tile('Attempts a minute'),
    success: new Tile('Success'),
    latency: new Tile('Latency'),
    load: new Tile('In flight'),
    queue: new Tile('Waiting'),
  };
  readonly #providers: Keyed<ProviderSection>;
  readonly #sections = new Map<string, ProviderSection>();
  readonly #announcer = find('announcer', HTMLElement);
  readonly #summary = find('summary', HTMLElement);
  #flow: Chart | null = null;
  #last = new Map<string, KeySnapshot>();

  constructor() {
    find('tiles', HTMLElement).append(...Object.values(this.#tiles).map(({ root }) => root));
    this.#providers = new Keyed(find('providers', HTMLElement), (provider) => {
      const section = new ProviderSection(provider);
      this.#sections.set(provider, section);
      return section;
    });
  }

  show(snapshot: PoolSnapshot, samples: readonly Sample[]): void {
    const now = Date.now();
    const keys = snapshot.providers.flatMap((provider) => provider.keys);
    this.#showTiles(snapshot, keys, samples);
    const sections = this.#providers.show(snapshot.providers.map(({ provider }) => provider));
    for (const [at, state] of snapshot.providers.entries()) sections[at]?.show(state, now);
    this.#announce(keys);
  }

  draw(samples: readonly Sample[]): void {
    this.#flow ??= new Chart(find('flow', HTMLElement), {
      height: 170,
      colours: ['--good', '--bad', '--warn'],
      axes: true,
    });
    const all = flowOf(samples, () => true);
    const { served, failed } = recent(all, 60);
    const label = `Attempts per second of the last five minutes; lately ${rate(served)} served and ${rate(failed)} failed`;
    const attempts = [...this.#last.values()].reduce((sum, key) => sum + key.attempts, 0);
    const columns = [all.at, all.served, all.failed, waitingOf(samples)];
    this.#flow.draw(columns, label, nothingSince(attempts));
    for (const section of this.#sections.values()) {
      for (const [name, card] of section.cards) card.draw(flowOf(samples, (each) => each === name));
    }
  }

  tick(now: number): void {
    for (const card of this.#cards()) card.tick(now);
  }

  redraw(): void {
    this.#flow?.redraw();
    for (const card of this.#cards()) card.redraw();
  }

  #cards(): KeyCard[] {
    return [...this.#sections.values()].flatMap((section) => [...section.cards.values()]);
  }

  #showTiles(
    snapshot: PoolSnapshot,
    keys: readonly KeySnapshot[],
    samples: readonly Sample[],
  ): void {
    const { ready, calls, success, latency, load, queue } = this.#tiles;
    const usable = keys.filter((key) => key.state === 'ready' && key.breaker !== 'open').length;
    const tone = usable === keys.length ? 'good' : 'warn';
    ready.show(`${usable} of ${keys.length}`, '', usable === 0 ? 'bad' : tone);
    const window = recent(
      flowOf(samples, () => true),
      60,
    );
    calls.show(rate((window.served + window.failed) * 60), 'last minute');
    const sum = (pick: (key: KeySnapshot) => number): number =>
      keys.reduce((total, key) => total + pick(key), 0);
    success.show(
      share(
        sum((key) => key.successes),
        sum((key) => key.failures),
      ),
      'since start, by attempt',
    );
    const times = keys
      .flatMap(({ latencyMs }) => (latencyMs === null ? [] : [latencyMs]))
      .sort((a, b) => a - b);
    latency.show(durationText(times[Math.floor((times.length - 1) / 2)] ?? null), 'middle key');
    const limit = snapshot.providers
      .flatMap((provider) => provider.accounts)
      .reduce((total, account) => total + (limitOf(account) ?? 0), 0);
    load.show(String(sum((key) => key.inFlight)), limit === 0 ? '' : `room for ${limit}`);
    const waiting = snapshot.providers.reduce((total, each) => total + each.queueDepth, 0);
    queue.show(String(waiting), waiting === 0 ? 'nobody' : 'calls', waiting > 0 ? 'warn' : null);
    const bad = keys.filter((key) => toneOf(key) === 'bad').length;
    const fine = keys.length === 0 ? 'No key yet' : 'Every key is fine';
    setText(this.#summary, bad === 0 ? fine : `${bad} of ${keys.length} keys cannot serve now`);
  }

  #announce(keys: readonly KeySnapshot[]): void {
    const said = keys.flatMap((key) => changeOf(this.#last.get(key.name), key) ?? []);
    this.#last = new Map(keys.map((key) => [key.name, key]));
    if (said.length > 0) setText(this.#announcer, said.join('. '));
  }
}
