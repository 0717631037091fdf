/** Search results as they come, made safe to hand on: one odd entry never costs the others. */

import { countOf, type Fields, fieldsOf, listOf, textOf } from '../wire/foreign-json.ts';
import type { Source } from './search.ts';

/** A date or the beginning of a timestamp; anything else is no date. */
const DATE = /^\d{4}(-\d{2}){0,2}([T ][\d:.+Z-]*)?$/;
const MAX_TITLE = 1_000;
const MAX_URL = 4_096;
const MAX_SOURCES = 200;

function dateOf(value: unknown): string | null {
  const text = textOf(value);
  return text !== null && DATE.test(text) ? text : null;
}

function sourceOf(entry: Fields, number: number): Source | null {
  const url = textOf(entry.url);
  // Without an address it is no source; and only the web's addresses are handed to an assistant.
  if (url === null || url.length > MAX_URL || !/^https?:\/\//i.test(url)) return null;
  const title = (textOf(entry.title) ?? '').slice(0, MAX_TITLE);
  return {
    number,
    title: title === '' ? url : title,
    url,
    snippet: textOf(entry.snippet) ?? '',
    date: dateOf(entry.date),
    lastUpdated: dateOf(entry.last_updated),
  };
}

/**
 * The usable entries in the order in which they came, numbered from 1. For several queries the
 * vendor's guide shows a list for each of them, and its SDK's types one for all: both are read.
 *
 * @see https://docs.perplexity.ai/guides/search-best-practices
 */
export function readSources(results: unknown): Source[] {
  const sources: Source[] = [];
  for (const entry of listOf(results).flat()) {
    const source = sourceOf(fieldsOf(entry), sources.length + 1);
    if (source !== null) sources.push(source);
  }
  return sources.slice(0, MAX_SOURCES);
}

/** The numbers that the entries carry, if they are numbers of their own; else null. */
function ownNumbers(entries: readonly Fields[]): number[] | null {
  const numbers = entries.map(({ id }) => countOf(id) ?? 0);
  const isUsable =
    numbers.every((number) => number > 0) && new Set(numbers).size === numbers.length;
  return isUsable ? numbers : null;
}

/**
 * The usable entries under the numbers that an answer cites them by: their own, or else their place
 * among all of them. One that cannot be shown leaves a gap and shifts no other.
 */
export function readCited(results: readonly unknown[]): Source[] {
  const entries = results.map(fieldsOf);
  const numbers = ownNumbers(entries);
  const sources = entries
    .map((entry, at) => sourceOf(entry, numbers?.[at] ?? at + 1))
    .filter((source) => source !== null);
  // The same page found by two searches stands under both of its numbers, as it is cited.
  return sources.slice(0, MAX_SOURCES);
}
