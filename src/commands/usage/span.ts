/** `--since` and `--until`: days of this machine's time zone, both included. */

import { ConfigError } from '../../base/errors.ts';
import { dayStart, monthStart, parseDay } from '../../usage/days.ts';
import type { DaySpan } from '../../usage/ledger/read-ledger.ts';

const WORDS: Readonly<Record<string, (now: number) => number>> = {
  today: (now) => dayStart(now),
  yesterday: (now) => dayStart(now, -1),
};

function dayNamed(flag: string, text: string, now: number): number {
  const days = /^(\d{1,4})d$/.exec(text.trim())?.[1];
  const at =
    days === undefined
      ? (WORDS[text.trim().toLowerCase()]?.(now) ?? parseDay(text))
      : dayStart(now, 1 - Number(days));
  if (at !== null) return at;
  throw new ConfigError(`${flag} is no day`, {
    hint: 'write it as 2026-11-27, today, yesterday or, for the last week, 7d',
  });
}

/** Without either: this month so far. @throws ConfigError */
export function spanOf(since: unknown, until: unknown, now: number): DaySpan {
  const from = typeof since === 'string' ? dayNamed('--since', since, now) : monthStart(now);
  const last = typeof until === 'string' ? dayNamed('--until', until, now) : dayStart(now);
  const span = { since: from, until: dayStart(last, 1) };
  if (span.since < span.until) return span;
  throw new ConfigError('--until lies before --since', { hint: 'exchange the two' });
}
