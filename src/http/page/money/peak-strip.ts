/** The next day's prices as a strip, its hours in UTC, and what waiting would have saved. */

import type { HoursView, MoneyView } from '../../api/money-view.ts';
import { create, setAttribute, setText } from '../drawing/elements.ts';
import { bothClocks, clockIn, hourMarks, peakText, savingText } from './money-format.ts';

const DAY_MS = 24 * 3_600_000;
const MARK_EVERY_H = 3;

function peaksOf({ spans }: HoursView, zone: string): string {
  const peaks = spans.filter(({ period }) => period !== 'off_peak');
  if (peaks.length === 0) return 'No peak prices in the next 24 hours.';
  const times = peaks.map(({ from, until, period }) => {
    const doubt = period === 'perhaps' ? 'perhaps ' : '';
    return `${doubt}${clockIn('UTC', from)} to ${bothClocks(zone, until)}`;
  });
  return `Peak prices in the next 24 hours: ${times.join(', ')}.`;
}

export class PeakStrip {
  readonly root: HTMLElement;
  readonly #now = create('p');
  readonly #strip = create('div', { class: 'strip', role: 'img' });
  readonly #axis = create('div', { class: 'strip-axis muted small', 'aria-hidden': 'true' });
  readonly #doubt = create(
    'span',
    {},
    create('i', { 'data-tone': 'doubt', 'aria-hidden': 'true' }),
    'perhaps peak',
  );
  readonly #legend = create(
    'p',
    { class: 'legend' },
    create('i', { 'data-tone': 'calm', 'aria-hidden': 'true' }),
    'off-peak ',
    create('i', { 'data-tone': 'warn', 'aria-hidden': 'true' }),
    'peak',
    this.#doubt,
  );
  readonly #saving = create('p', { class: 'muted small' });

  constructor() {
    this.root = create(
      'div',
      { class: 'card peaks' },
      create('div', { class: 'head' }, create('h2', {}, 'DeepSeek’s hours, in UTC'), this.#legend),
      this.#now,
      this.#strip,
      this.#axis,
      this.#saving,
    );
  }

  show({ peak, zone, spans }: MoneyView, now: number): void {
    for (const part of [this.#strip, this.#axis, this.#legend]) {
      setAttribute(part, 'hidden', peak === null);
    }
    setText(this.#saving, savingText(spans.month.total));
    if (peak === null) {
      setText(this.#now, 'The default model’s price is not known, and so neither are its hours.');
      return;
    }
    setText(this.#now, peakText(peak, zone, now));
    const isDoubtful = peak.spans.some(({ period }) => period === 'perhaps');
    setAttribute(this.#doubt, 'hidden', !isDoubtful);
    const start = Date.parse(peak.spans[0]?.from ?? '');
    const parts = peak.spans.map(({ from, until, period }) => {
      const part = create('i', { class: 'period', 'data-period': period });
      const share = (Date.parse(until) - Date.parse(from)) / DAY_MS;
      part.style.setProperty('inline-size', `${100 * share}%`);
      return part;
    });
    this.#strip.replaceChildren(...parts);
    setAttribute(this.#strip, 'aria-label', peaksOf(peak, zone));
    const marks = hourMarks(start, MARK_EVERY_H).map(({ at, label }) => {
      const mark = create('span', { class: 'hour' }, label);
      mark.style.setProperty('inset-inline-start', `${100 * at}%`);
      return mark;
    });
    this.#axis.replaceChildren(...marks);
  }
}
