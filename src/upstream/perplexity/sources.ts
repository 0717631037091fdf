/** Search results as they come, made safe to hand on: one odd entry never costs the others. */

import { type Fields, fieldsOf, listOf, textOf } from '../wire/json.ts';
import type { Source } from './search.ts';

/** A date or the beginning of a timestamp; anything else is no date. */
const DATE = /^\d{4}(-\d{2}){0,2}([T ][\d:.+Z-]*)?$/;
const MAX_TITLE = 1_000;
const MAX_URL = 4_096;

function dateOf(value: unknown): string | null {
  const text = textOf(value);
  return text !== null && DATE.test(text) ? text : null;
}

function sourceOf(entry: Fields): Source | null {
  const url = textOf(entry.url);
  // Without an address it is no source; and only the web's addresses are handed to an assistant.
  if (url === null || url.length > MAX_URL || !/^https?:\/\//i.test(url)) return null;
  const title = (textOf(entry.title) ?? '').slice(0, MAX_TITLE);
  return {
    title: title === '' ? url : title,
    url,
    snippet: textOf(entry.snippet) ?? '',
    date: dateOf(entry.date),
    lastUpdated: dateOf(entry.last_updated),
  };
}

/** The usable entries, in the order in which they came. */
export function readSources(results: unknown): Source[] {
  return listOf(results)
    .map((entry) => sourceOf(fieldsOf(entry)))
    .filter((source) => source !== null);
}
