/** Numbers and times as a person reads them. Pure. */

export function durationText(ms: number | null): string {
  if (ms === null) return '–';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  return `${Math.round(ms / 60_000)} min`;
}

export function count(value: number): string {
  return value < 10_000 ? Math.round(value).toLocaleString('en') : short(value);
}

/** Three figures at most: 940, 8.6k, 136k, 1.2M. */
export function short(value: number): string {
  if (value < 1_000) return String(Math.round(value));
  if (value < 999_500) return `${(value / 1_000).toFixed(value < 99_950 ? 1 : 0)}k`;
  return `${(value / 1_000_000).toFixed(1)}M`;
}

/** Share of successes; a dash where nothing was counted. Never 100 % when something failed. */
export function share(good: number, bad: number): string {
  const all = good + bad;
  if (all === 0) return '–';
  const percent = (100 * good) / all;
  if (bad > 0 && percent > 99.9) return '99.9 %';
  return `${percent.toFixed(percent === 100 || percent < 10 ? 0 : 1)} %`;
}

export function rate(perSecond: number): string {
  if (perSecond === 0) return '0';
  return perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond).toString();
}

export function ago(iso: string | null, now: number): string {
  if (iso === null) return 'never';
  const ms = Math.max(0, now - Date.parse(iso));
  return ms < 2_000 ? 'just now' : `${durationText(ms)} ago`;
}

/** What a chart without a curve says. */
export function nothingSince(attempts: number): string {
  return attempts === 0
    ? 'No attempts yet'
    : 'Too few attempts in the last five minutes for a curve';
}

export function capitalised(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
