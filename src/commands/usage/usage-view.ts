/** A usage report as a page of eighty columns. */

import { grouped } from '../../base/grouped.ts';
import { dollars } from '../../base/text/dollars.ts';
import { dayOf, zoneName } from '../../usage/days.ts';
import type { Reconciliation } from '../../usage/report/reconcile.ts';
import type { Tally } from '../../usage/report/tally.ts';
import type { Group, UsageReport } from '../../usage/report/usage-report.ts';
import { fitted, type Style } from '../terminal/style.ts';
import { hanging } from '../terminal/wrap.ts';

/** Every terminal has so many columns. */
const WIDTH = 80;
const BAR_WIDTH = 18;
const NAME_WIDTH = 27;
const DAY_WIDTH = 10;

/** `950`, `12.3 k`, `4.1 M`. */
export function shortCount(count: number): string {
  if (count < 1000) return String(count);
  const [value, unit] = count < 999_950 ? [count / 1000, 'k'] : [count / 1_000_000, 'M'];
  return `${value >= 99.95 ? value.toFixed(0) : value.toFixed(1)} ${unit}`;
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '0 %' : `${Math.round((part / whole) * 100)} %`;
}

function counted(count: number, one: string): string {
  return `${grouped(count)} ${one}${count === 1 ? '' : 's'}`;
}

/** Off-peak and peak as two kinds of block, so that it reads without colour, too. */
function bar({ usd, peakUsd }: Tally, most: number, style: Style): string {
  if (most === 0 || usd === 0) return '';
  const length = Math.max(1, Math.round((usd / most) * BAR_WIDTH));
  const peak = Math.round((peakUsd / usd) * length);
  return style.calm('█'.repeat(length - peak)) + style.warm('▒'.repeat(peak));
}

/** @param most what the dearest group cost: it sets the decimals of the column */
function row(group: Group, width: number, most: number, bars: string): string {
  const { tally } = group;
  const tokens = shortCount(tally.promptTokens + tally.completionTokens);
  const cost = tally.unpriced === tally.attempts ? '?' : dollars(tally.usd, most < 1 ? 4 : 2);
  const cells = [
    fitted(group.name, width),
    grouped(tally.attempts).padStart(8),
    tokens.padStart(8),
    cost.padStart(9),
  ];
  return `${cells.join(' ')}  ${bars}`.trimEnd();
}

function tableLines(report: UsageReport, style: Style): string[] {
  const { groups, by, total } = report;
  const width = by === 'day' ? DAY_WIDTH : NAME_WIDTH;
  const most = Math.max(...groups.map(({ tally }) => tally.usd));
  const head = `${fitted(by, width)} attempts   tokens      cost`;
  const sum = row({ name: 'total', tally: total }, width, most, '');
  return [
    style.dim(head),
    ...groups.map((group) => row(group, width, most, bar(group.tally, most, style))),
    ...(groups.length > 1 ? [style.bold(sum)] : []),
  ];
}

function peakLines({ usd, peakUsd, offPeakUsd }: Tally, style: Style): string[] {
  if (peakUsd === 0) return [];
  const saved = usd - offPeakUsd;
  return [
    `${style.warm('▒')} At peak prices: ${dollars(peakUsd)}, ${percent(peakUsd, usd)} of it. Off-peak all of it would have cost`,
    `  ${dollars(offPeakUsd)}, ${percent(saved, usd)} less.`,
  ];
}

function perhapsLines({ perhapsUsd, leastUsd, mostUsd }: Tally): string[] {
  if (perhapsUsd === 0 && mostUsd - leastUsd < 1e-9) return [];
  return [
    `Perhaps: ${dollars(perhapsUsd)} is not certain, for answers that broke off or ran across a`,
    `  border of hours. In all at least ${dollars(leastUsd)}, at most ${dollars(mostUsd)}.`,
  ];
}

function balanceLines(balance: Reconciliation): string[] {
  const { account, currency, firstAt, lastAt, first, last, spent, paidIn, estimate } = balance;
  const paid = paidIn > 0 ? ` and ${paidIn.toFixed(2)} paid in` : '';
  const days = `${dayOf(firstAt)} to ${dayOf(lastAt)}`;
  return [
    `Balance of ${fitted(account, 12).trimEnd()}, ${days}: ${first.toFixed(2)} → ${last.toFixed(2)} ${currency}.`,
    `  By it ${spent.toFixed(2)} spent${paid}; by this ledger ${estimate.toFixed(2)} spent.`,
  ];
}

function noteLines(report: UsageReport): string[] {
  const { unpricedModels, unreadableLines, total } = report;
  const models = unpricedModels.slice(0, 5).join(', ');
  return [
    ...(total.unpriced === 0
      ? []
      : [
          `${counted(total.unpriced, 'attempt')} of models without a price, which no sum counts:`,
          hanging('  ', models, WIDTH),
        ]),
    ...(unreadableLines === 0
      ? []
      : [
          `${counted(unreadableLines, 'line')} of the ledger could not be read and ${unreadableLines === 1 ? 'is' : 'are'} left out.`,
        ]),
  ];
}

function daysIn({ since, until }: UsageReport['span']): string {
  const [first, last] = [dayOf(since), dayOf(until - 1)];
  return first === last ? `on ${first}` : `from ${first} to ${last}`;
}

function headLines(report: UsageReport, now: number, style: Style): string[] {
  const { span, total, today } = report;
  const served = `${counted(total.attempts, 'attempt')}, ${percent(total.served, total.attempts)} served`;
  const isToday = now >= span.since && now < span.until && dayOf(span.since) !== dayOf(now);
  const prices =
    report.pricesRead.length === 0
      ? 'No price is known for any of it'
      : `Estimated, by the prices of ${report.pricesRead.join(', ')}`;
  return [
    `${style.bold(`${dollars(total.usd)} spent`)} ${daysIn(span)}, ${served}`,
    ...(isToday ? [`${dollars(today.usd)} today, ${counted(today.attempts, 'attempt')}`] : []),
    style.dim(`${prices}; days in ${zoneName()}.`),
  ];
}

export function usageText(report: UsageReport, now: number, style: Style): string {
  if (report.total.attempts === 0) {
    const nothing = `Nothing was spent ${daysIn(report.span)}: the ledger has no attempt.`;
    return [nothing, ...noteLines(report)].join('\n');
  }
  const notes = [
    ...peakLines(report.total, style),
    ...perhapsLines(report.total),
    ...report.balances.flatMap(balanceLines),
    ...noteLines(report),
  ];
  return [
    ...headLines(report, now, style),
    '',
    ...tableLines(report, style),
    ...(notes.length === 0 ? [] : ['', ...notes]),
  ].join('\n');
}
