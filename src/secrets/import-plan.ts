/** Found keys + what the store holds → what an import does, by name. Pure; no key is ever lost. */

import { isKeyName } from '../base/key-names.ts';
import type { Candidate, ParsedImport, Skipped } from './import-parser.ts';

export interface ImportPlan {
  readonly added: ReadonlyArray<{ readonly name: string; readonly value: string }>;
  /** Names in the store that hold the same value already. */
  readonly unchanged: readonly string[];
  readonly skipped: readonly Skipped[];
}

const POOL_NAME = /^((?:DEEPSEEK|PERPLEXITY)_API_KEY)(?:_(\d+))?$/;

function numbered(base: string, number: number): string {
  return number <= 1 ? base : `${base}_${number}`;
}

/** The first number from `from` on whose name is free. */
function freeName(base: string, from: number, taken: ReadonlyMap<string, string>): string {
  let number = Math.max(1, from);
  while (taken.has(numbered(base, number))) number++;
  return numbered(base, number);
}

/** The family of a name whose keys are interchangeable, so that they can be numbered. */
function familyOf(candidate: Candidate): { base: string; number: number } | null {
  const match = POOL_NAME.exec(candidate.name);
  if (match !== null) {
    const [, base = '', number] = match;
    return { base, number: candidate.number ?? Number(number ?? 1) };
  }
  if (candidate.origin === 'exact') return null;
  return { base: candidate.name, number: candidate.number ?? 1 };
}

/** An equal key under another name of its family would be counted as two by the pool. */
function sameKey(base: string, value: string, taken: ReadonlyMap<string, string>): string | null {
  for (const [name, other] of taken) {
    if (other === value && (name === base || name.startsWith(`${base}_`))) return name;
  }
  return null;
}

/**
 * @param stored name → value, as the store has them
 */
export function planImport(parsed: ParsedImport, stored: ReadonlyMap<string, string>): ImportPlan {
  const taken = new Map(stored);
  const added: Array<{ name: string; value: string }> = [];
  const unchanged: string[] = [];
  const skipped: Skipped[] = [...parsed.skipped];
  // Names that the file itself gives come first; made-up ones take what is left.
  const isNamed = (candidate: Candidate): boolean => candidate.origin === 'exact';
  const ordered = [
    ...parsed.candidates.filter(isNamed),
    ...parsed.candidates.filter((candidate) => !isNamed(candidate)),
  ];
  for (const candidate of ordered) {
    const { value, line } = candidate;
    const skip = (name: string, reason: string): void => void skipped.push({ name, line, reason });
    const family = familyOf(candidate);
    const twin = family === null ? null : sameKey(family.base, value, taken);
    const own = taken.get(candidate.name);
    if (twin !== null || own === value) {
      const name = twin ?? candidate.name;
      if (stored.has(name) && !unchanged.includes(name)) unchanged.push(name);
      else skip(name, 'the same key stands in the file twice');
      continue;
    }
    const isTaken = own !== undefined;
    const mayMove =
      family !== null && !(isTaken && isNamed(candidate) && stored.has(candidate.name));
    if (isTaken && !mayMove) {
      const reason = stored.has(candidate.name)
        ? 'the store holds another value; replace it with keys add'
        : 'the file gives this name two values; the first was taken';
      skip(candidate.name, reason);
      continue;
    }
    const name = family === null ? candidate.name : freeName(family.base, family.number, taken);
    if (!isKeyName(name)) {
      skip(candidate.name, 'the name is too long');
      continue;
    }
    taken.set(name, value);
    added.push({ name, value });
  }
  skipped.sort((a, b) => a.line - b.line);
  return { added, unchanged, skipped };
}
