/** The health of one key. */

import type { AccountSnapshot, KeySnapshot } from '../../pool/snapshot.ts';
import { Chart } from './drawing/charts.ts';
import { create, createSvg, setAttribute, setText } from './drawing/elements.ts';
import {
  ago,
  capitalised,
  count,
  durationText,
  nothingSince,
  share,
  short,
} from './drawing/format.ts';
import type { Flow } from './drawing/series.ts';

export type Tone = 'good' | 'warn' | 'bad' | 'still';

const RING = 2 * Math.PI * 19;

export function toneOf(key: KeySnapshot): Tone {
  if (key.state === 'disabled' || key.breaker === 'open') return 'bad';
  if (key.state === 'cooling' || key.breaker === 'half-open' || key.score < 60) return 'warn';
  return key.state === 'draining' ? 'still' : 'good';
}

const STATES: Readonly<Record<KeySnapshot['state'], string>> = {
  ready: 'Ready',
  cooling: 'Cooling',
  disabled: 'Disabled',
  draining: 'Leaving',
};

/** The widest limit that was found for the account; null before its first call. */
export function limitOf(account: AccountSnapshot | undefined): number | null {
  const limits = account?.limits.map(({ limit }) => limit) ?? [];
  return limits.length === 0 ? null : Math.max(...limits);
}

class Fact {
  readonly root: HTMLElement;
  readonly #value = create('dd');

  constructor(label: string) {
    this.root = create('div', {}, create('dt', {}, label), this.#value);
  }

  show(text: string): void {
    setText(this.#value, text);
  }
}

class Bar {
  readonly root: HTMLElement;
  readonly #fill = create('i');

  constructor(className: string) {
    this.root = create('div', { class: `meter ${className}`, 'aria-hidden': 'true' }, this.#fill);
  }

  show(part: number): void {
    this.#fill.style.setProperty(
      'inline-size',
      `${Math.round(100 * Math.min(1, Math.max(0, part)))}%`,
    );
  }
}

export class KeyCard {
  readonly root: HTMLElement;
  readonly #id = create('p', { class: 'muted small' });
  readonly #score = create('span', { class: 'score-value' });
  readonly #ring = createSvg('circle', { class: 'ring', cx: 23, cy: 23, r: 19 });
  readonly #state = create('span', { class: 'chip' });
  readonly #breaker = create('span', { class: 'chip plain' });
  readonly #reason = create('p', { class: 'reason small' });
  readonly #cooling = new Bar('cooling');
  readonly #load = new Bar('load');
  readonly #inFlight = new Fact('In flight');
  readonly #success = new Fact('Success');
  readonly #latency = new Fact('Latency');
  readonly #firstByte = new Fact('First byte');
  readonly #calls = new Fact('Attempts');
  readonly #tokens = new Fact('Tokens');
  readonly #error = create('p', { class: 'last-error small' });
  readonly #chartPlace = create('div', { class: 'spark' });
  #chart: Chart | null = null;
  /** Instant at which the cool-down ends, and how long it was when it was first seen. */
  #coolUntil = 0;
  #coolMs = 0;
  #key: KeySnapshot | null = null;

  constructor(name: string) {
    const title = create('h3', { id: `key-${name}` }, name);
    const ring = createSvg(
      'svg',
      { viewBox: '0 0 46 46', 'aria-hidden': 'true' },
      createSvg('circle', { class: 'track', cx: 23, cy: 23, r: 19 }),
      this.#ring,
    );
    const score = create('div', { class: 'score' }, ring, this.#score);
    const facts = [
      this.#inFlight,
      this.#success,
      this.#latency,
      this.#firstByte,
      this.#calls,
      this.#tokens,
    ];
    this.root = create(
      'article',
      { class: 'card key', 'aria-labelledby': `key-${name}` },
      create('header', {}, create('div', {}, title, this.#id), score),
      create('div', { class: 'chips' }, this.#state, this.#breaker),
      this.#reason,
      this.#cooling.root,
      create('dl', { class: 'facts' }, ...facts.map(({ root }) => root)),
      this.#load.root,
      this.#chartPlace,
      this.#error,
    );
  }

  show(key: KeySnapshot, account: AccountSnapshot | undefined, now: number): void {
    this.#key = key;
    const tone = toneOf(key);
    setAttribute(this.root, 'data-tone', tone);
    const own = key.account === key.name ? '' : ` · account ${key.account}`;
    setText(this.#id, `…${key.keyId}${own}`);
    this.#showScore(key.score);
    setText(this.#breaker, `Breaker ${key.breaker}`);
    setAttribute(this.#breaker, 'data-breaker', key.breaker);
    setText(this.#reason, key.reason === null ? '' : capitalised(key.reason));
    this.#showFacts(key, limitOf(account));
    const error = key.lastError;
    setText(this.#error, error === null ? '' : `${ago(error.at, now)}: ${error.text}`);
    this.#noteCooling(key.retryInMs, now);
    this.tick(now);
  }

  /** Between two snapshots the cool-down runs on. */
  tick(now: number): void {
    const key = this.#key;
    if (key === null) return;
    const left = Math.max(0, this.#coolUntil - now);
    const isCooling = this.#coolUntil > 0 && key.state !== 'ready';
    const wait =
      isCooling && left > 0
        ? ` · ${key.state === 'disabled' ? 'checked again in ' : ''}${durationText(left)}`
        : '';
    setText(this.#state, `${STATES[key.state]}${wait}`);
    setAttribute(this.#cooling.root, 'hidden', !isCooling);
    this.#cooling.show(this.#coolMs === 0 ? 0 : left / this.#coolMs);
  }

  draw(flow: Flow): void {
    this.#chart ??= new Chart(this.#chartPlace, {
      height: 44,
      colours: ['--good', '--bad'],
      axes: false,
    });
    const served = flow.served.reduce((a, b) => a + b, 0);
    const failed = flow.failed.reduce((a, b) => a + b, 0);
    const label = `Attempts of the last minutes, ${share(served, failed)} of them served`;
    const nothing = nothingSince(this.#key?.attempts ?? 0);
    this.#chart.draw([flow.at, flow.served, flow.failed], label, nothing);
  }

  redraw(): void {
    this.#chart?.redraw();
  }

  #showScore(score: number): void {
    setText(this.#score, String(Math.round(score)));
    setAttribute(this.#score, 'aria-label', `Score ${Math.round(score)} of 100`);
    setAttribute(this.#score, 'role', 'img');
    // Round ends leave a dot where nothing is.
    setAttribute(this.#ring, 'hidden', score < 1);
    setAttribute(this.#ring, 'stroke-dasharray', `${(RING * score) / 100} ${RING}`);
  }

  #showFacts(key: KeySnapshot, limit: number | null): void {
    this.#inFlight.show(limit === null ? String(key.inFlight) : `${key.inFlight} of ${limit}`);
    this.#load.show(limit === null ? 0 : key.inFlight / limit);
    this.#success.show(share(key.successes, key.failures));
    this.#latency.show(durationText(key.latencyMs));
    this.#firstByte.show(durationText(key.firstByteMs));
    this.#calls.show(count(key.attempts));
    const tokens = `${short(key.promptTokens)} → ${short(key.completionTokens)}`;
    this.#tokens.show(key.promptTokens + key.completionTokens === 0 ? '–' : tokens);
  }

  #noteCooling(retryInMs: number | null, now: number): void {
    if (retryInMs === null) {
      this.#coolUntil = 0;
      this.#coolMs = 0;
      return;
    }
    const until = now + retryInMs;
    // A later deadline is another cool-down; a second of drift is the clock's.
    if (until > this.#coolUntil + 1_000) this.#coolMs = retryInMs;
    this.#coolUntil = until;
  }
}
