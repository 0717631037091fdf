/** Who else uses the accounts, and whether limits are shared with them. */

import type { ProcessView } from '../../sharing/protocol.ts';
import type { SharingView } from '../../sharing/sharing-view.ts';
import { create, find, Keyed, setAttribute, setText } from './drawing/elements.ts';
import { capitalised } from './drawing/format.ts';

const HEADS = ['Process', 'In flight', 'Waiting', 'Share'];

class ProcessRow {
  readonly root = create('tr');
  readonly #name = create('th', { scope: 'row' });
  readonly #cells = HEADS.slice(1).map((label) => create('td', { 'data-label': label }));

  constructor() {
    this.root.append(this.#name, ...this.#cells);
  }

  show({ client, isSelf, inFlight, waiting, share }: ProcessView): void {
    setText(this.#name, `${client ?? 'unknown client'}${isSelf ? ' (this one)' : ''}`);
    for (const [at, figure] of [inFlight, waiting, share].entries()) {
      const cell = this.#cells[at];
      if (cell !== undefined) setText(cell, String(figure));
    }
  }
}

function aboutOf({ state, over, processes, problem, since }: SharingView): string {
  const medium = over === 'redis' ? 'a Redis' : 'this machine';
  if (state === 'up') return `${processes.length} on the same accounts, over ${medium}`;
  if (problem === null) return 'Nobody was asked yet';
  const time = since === null ? '' : ` since ${new Date(since).toLocaleTimeString()}`;
  return `Limits are not shared${time}: ${problem}`;
}

export class Processes {
  readonly #card = find('processes', HTMLElement);
  readonly #about = find('processes-about', HTMLElement);
  readonly #rows = create('tbody');
  readonly #keyed: Keyed<ProcessRow>;

  constructor() {
    const head = create('tr', {}, ...HEADS.map((text) => create('th', { scope: 'col' }, text)));
    const caption = create('caption', { class: 'unseen' }, 'Processes on the same accounts');
    this.#card.append(create('table', {}, caption, create('thead', {}, head), this.#rows));
    this.#keyed = new Keyed(this.#rows, () => new ProcessRow());
  }

  /** Hidden while this process is on its own and nothing is wrong with that. */
  show(view: SharingView | undefined): void {
    const isBad = view?.state === 'down' && view.problem !== null;
    const isShown = view !== undefined && (isBad || view.processes.length > 1);
    setAttribute(this.#card, 'hidden', !isShown);
    if (!isShown) return;
    setText(this.#about, capitalised(aboutOf(view)));
    setAttribute(this.#about, 'data-tone', isBad ? 'warn' : null);
    const rows = this.#keyed.show(view.processes.map((_process, at) => String(at)));
    for (const [at, each] of view.processes.entries()) rows[at]?.show(each);
  }
}
