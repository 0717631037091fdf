/** A table with a header, separated by commas, semicolons or tabs → a list of maps. */

import { parse } from 'csv-parse/sync';
import { secretTokens } from '../clues/tokens.ts';
import { type ListNode, type MapNode, plainKey, textAt } from './tree.ts';

/** Columns that tables of keys and exports of password managers have. */
const KNOWN_COLUMNS =
  /^(?:name|title|label|service|vendor|provider|platform|website|url|uri|loginuri|username|login|loginusername|user|email|password|loginpassword|key|keyname|apikey|secret|token|value|notes?|comment|group|folder|account)$/;

/** The separator of the header; null when the first line is no header. */
function separatorOf(header: string): string | null {
  if (secretTokens(header).length > 0) return null;
  for (const separator of [',', ';', '\t']) {
    const cells = header.split(separator).map((cell) => plainKey(cell.replace(/"/g, '').trim()));
    const known = cells.filter((cell) => KNOWN_COLUMNS.test(cell));
    if (cells.length >= 2 && known.length >= 2) return separator;
  }
  return null;
}

export function parseCsv(text: string): ListNode | null {
  const [header = '', ...rows] = text.split(/\r\n|\r|\n/, 2);
  const delimiter = separatorOf(header);
  if (delimiter === null || rows.length === 0) return null;
  const ends: number[] = [];
  try {
    const records = parse(text, {
      delimiter,
      relaxColumnCount: true,
      trim: true,
      onRecord: (record, { lines }) => {
        ends.push(lines);
        return record;
      },
    });
    return mapsOf(records, ends);
  } catch {
    // A quote that is not closed, or none of a table at all.
    return null;
  }
}

/**
 * @param ends the line on which each record ends
 */
function mapsOf(records: ReadonlyArray<readonly string[]>, ends: readonly number[]): ListNode {
  const [names = [], ...rows] = records;
  const items = rows.map((cells, at): MapNode => {
    const line = (ends[at] ?? 0) + 1;
    let firstLine = line;
    const members = cells.map((cell, column) => {
      const node = { ...textAt(cell, firstLine), spansLines: true };
      firstLine += cell.split('\n').length - 1;
      return { key: names[column] ?? `column${column + 1}`, node };
    });
    return { kind: 'map', line, isRow: true, members };
  });
  return { kind: 'list', items };
}
