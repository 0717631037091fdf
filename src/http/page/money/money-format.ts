/** Money and its times as a person reads them. Pure. */

import { dollars } from '../../../base/text/dollars.ts';
import type { BalanceView, BudgetView, HoursView, Spent } from '../../api/money-view.ts';
import { count, short } from '../drawing/format.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Nothing is invented: what has no price is not shown as if it had cost nothing. */
export function costText({ usd, attempts, unpriced }: Spent, decimals?: number): string {
  return attempts > 0 && unpriced === attempts ? 'price not known' : dollars(usd, decimals);
}

export function unpricedText({ attempts, unpriced }: Spent): string {
  if (unpriced === 0 || unpriced === attempts) return '';
  return `${attemptsText(unpriced)} without a price`;
}

export function attemptsText(attempts: number): string {
  return `${count(attempts)} attempt${attempts === 1 ? '' : 's'}`;
}

/** `1,234 attempts · 4.1M tokens · 2 attempts without a price`. */
export function aboutText(spent: Spent): string {
  const tokens = spent.tokens === 0 ? '' : `${short(spent.tokens)} tokens`;
  return [attemptsText(spent.attempts), tokens, unpricedText(spent)]
    .filter((text) => text !== '')
    .join(' · ');
}

export function percent(part: number, whole: number): string {
  return whole === 0 ? '0 %' : `${Math.round((100 * part) / whole)} %`;
}

/** `7 min`, `2 h 10 min`, `3 h`. */
export function waitText(ms: number): string {
  const minutes = Math.max(1, Math.ceil(ms / MINUTE_MS));
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return [hours === 0 ? '' : `${hours} h`, rest === 0 ? '' : `${rest} min`]
    .filter((text) => text !== '')
    .join(' ');
}

export type BudgetTone = 'good' | 'warn' | 'bad';

const NEAR = 0.8;
/** Sums of floats are right to far more than this. */
const EXACT_USD = 1e-9;

export function budgetTone({ usd, spentUsd }: BudgetView): BudgetTone {
  if (spentUsd === null || spentUsd < NEAR * usd - EXACT_USD) return 'good';
  return spentUsd < usd - EXACT_USD ? 'warn' : 'bad';
}

export function scopeText({ account, client }: BudgetView): string {
  if (account !== null) return `account ${account}`;
  return client === null ? 'everything' : `client ${client}`;
}

/** What a person who opened the page for something else has to hear about a budget; null: nothing. */
export function budgetAlert(budget: BudgetView): string | null {
  const tone = budgetTone(budget);
  const { account, client, usd, per, resets, spentUsd } = budget;
  if (tone === 'good' || spentUsd === null) return null;
  const whose = account === null && client === null ? '' : ` for ${scopeText(budget)}`;
  const name = `The budget of ${dollars(usd)} a ${per}${whose}`;
  const again = resets === null ? '' : ` until ${resets}`;
  return tone === 'bad'
    ? `${name} is spent: such calls are refused${again}.`
    : `${name} is spent to ${percent(spentUsd, usd)}.`;
}

const YEAR_DAYS = 365;
const LOW_DAYS = 3;
const EMPTY = 0.01;

export function lastsText({ amount, lastsDays }: BalanceView): string {
  if (amount <= EMPTY) return 'gone';
  if (lastsDays === null) return 'nothing spent lately';
  if (lastsDays < 1) return 'less than a day';
  if (lastsDays > YEAR_DAYS) return 'more than a year';
  return `about ${Math.round(lastsDays)} day${Math.round(lastsDays) === 1 ? '' : 's'}`;
}

export function balanceTone({ amount, lastsDays }: BalanceView): BudgetTone {
  if (amount <= EMPTY) return 'bad';
  return lastsDays !== null && lastsDays < LOW_DAYS ? 'warn' : 'good';
}

/** `09:00`, of a time zone. */
export function clockIn(zone: string, iso: string): string {
  return new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hour: '2-digit',
    minute: '2-digit',
  }).format(new Date(iso));
}

/** `04:00 UTC (05:00 here)`; the second only where it is another one. */
export function bothClocks(zone: string, iso: string): string {
  const [utc, here] = [clockIn('UTC', iso), clockIn(zone, iso)];
  return utc === here ? `${utc} UTC` : `${utc} UTC (${here} in ${zone})`;
}

const TIMES: Readonly<Record<number, string>> = { 2: 'twice', 3: 'three times' };

function factorText(factor: number | null): string {
  if (factor === null || factor <= 1) return '';
  return `, ${TIMES[factor] ?? `${factor.toFixed(1)} times`} as much as off-peak`;
}

/** What holds now, and until when. */
export function peakText({ spans, factor }: HoursView, zone: string, now: number): string {
  const [current, next] = spans;
  if (current === undefined) return '';
  const isLong = next === undefined;
  const end = bothClocks(zone, current.until);
  const left = waitText(Date.parse(current.until) - now);
  if (current.period === 'off_peak') {
    return isLong
      ? 'Off-peak prices now, and for the next 24 hours.'
      : `Off-peak prices now, until ${end}: for ${left}.`;
  }
  const until = isLong ? 'for more than a day' : `until ${end}: for ${left}`;
  if (current.period === 'peak') return `Peak prices now${factorText(factor)}, ${until}.`;
  return `Perhaps peak prices now, ${until}: whether this is a holiday to DeepSeek, nobody has said.`;
}

/** What waiting for cheaper hours would have saved. */
export function savingText({ usd, peakUsd, offPeakUsd }: Spent): string {
  if (usd === 0) return '';
  if (peakUsd === 0) return 'Nothing was spent at peak prices this month.';
  const saved = usd - offPeakUsd;
  return `This month ${dollars(peakUsd)} of ${dollars(usd)} were spent at peak prices. Off-peak all of it would have cost ${dollars(offPeakUsd)}, ${percent(saved, usd)} less.`;
}

/** A label further to the right than this would be cut off. */
const LAST_MARK = 0.93;

/** Where a full hour of UTC lies on a line that begins now and is a day long; every `step` hours. */
export function hourMarks(from: number, step: number): Array<{ at: number; label: string }> {
  const day = 24 * HOUR_MS;
  const marks: Array<{ at: number; label: string }> = [];
  const end = from + LAST_MARK * day;
  for (let next = Math.ceil(from / HOUR_MS) * HOUR_MS; next < end; next += HOUR_MS) {
    const hour = new Date(next).getUTCHours();
    if (hour % step !== 0) continue;
    marks.push({ at: (next - from) / day, label: `${String(hour).padStart(2, '0')}:00` });
  }
  return marks;
}
