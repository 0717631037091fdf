/** Findings + what the store holds → what an import does, by name. Pure; no key is ever lost. */

import { freeName, isKeyName, numberedName } from '../base/keys/key-names.ts';
import { type ImportedKey, type ImportFinding, type LeftAlone, left } from './import-finding.ts';

/** A key with the name that it gets. */
export interface PlannedKey {
  readonly name: string;
  readonly value: string;
  readonly line: number;
  /** Why it is asked for; empty for a sure one. */
  readonly reason: string;
}

export interface ImportPlan {
  /** Taken without a question. */
  readonly sure: readonly PlannedKey[];
  /** Taken when somebody says so. */
  readonly likely: readonly PlannedKey[];
  /** Names in the store that hold the same value already, with the line of the input. */
  readonly unchanged: ReadonlyArray<{ readonly name: string; readonly line: number }>;
  readonly left: readonly LeftAlone[];
}

class Planner {
  readonly #taken: Map<string, string>;
  /** The first name of each value. */
  readonly #names: Map<string, string>;
  /** For a family and the number to begin at: up to where all are taken. */
  readonly #reached = new Map<string, number>();
  readonly #stored: ReadonlyMap<string, string>;
  readonly sure: PlannedKey[] = [];
  readonly likely: PlannedKey[] = [];
  readonly unchanged: Array<{ name: string; line: number }> = [];
  readonly left: LeftAlone[] = [];

  constructor(stored: ReadonlyMap<string, string>) {
    this.#stored = stored;
    this.#taken = new Map(stored);
    this.#names = new Map([...stored].reverse().map(([name, value]) => [value, name]));
  }

  add(key: ImportedKey): void {
    const { value, line, reason } = key;
    const twin = this.#names.get(value);
    if (twin !== undefined) {
      if (this.#stored.has(twin)) this.unchanged.push({ name: twin, line });
      else this.left.push(left(line, `the same value as ${twin} above`, key.name));
      return;
    }
    const name = this.#freeName(key);
    if (name === null) {
      const problem = this.#stored.has(key.name)
        ? 'the store holds another value; replace it with keys add'
        : 'the input gives this name two values; the first was taken';
      this.left.push(left(line, problem, key.name));
      return;
    }
    this.#taken.set(name, value);
    this.#names.set(value, name);
    const pile = key.pile === 'sure' ? this.sure : this.likely;
    pile.push({ name, value, line, reason });
  }

  #freeName(key: ImportedKey): string | null {
    if (!key.isNumbered) return this.#taken.has(key.name) ? null : key.name;
    const wanted = numberedName(key.name, key.number ?? 1);
    if (key.number !== null && isKeyName(wanted) && !this.#taken.has(wanted)) return wanted;
    const place = `${key.name} ${key.number ?? 1}`;
    let from = this.#reached.get(place) ?? key.number ?? 1;
    const name = freeName(key.name, from, (each) => {
      const isTaken = this.#taken.has(each);
      if (isTaken) from++;
      return isTaken;
    });
    this.#reached.set(place, from);
    return name;
  }
}

/**
 * @param findings of one input
 * @param stored name → value, as the store has them
 */
export function planImport(
  findings: readonly ImportFinding[],
  stored: ReadonlyMap<string, string>,
): ImportPlan {
  const planner = new Planner(stored);
  const keys = findings.flatMap((finding) => (finding.pile === 'left' ? [] : [finding]));
  // Names and numbers that are written come first; the others take what is left.
  const rank = (key: ImportedKey): number =>
    (key.pile === 'sure' ? 0 : 2) + (key.isNumbered && key.number === null ? 1 : 0);
  for (const key of [...keys].sort((a, b) => rank(a) - rank(b))) planner.add(key);
  for (const finding of findings) if (finding.pile === 'left') planner.left.push(finding);
  const byLine = (a: { line: number }, b: { line: number }): number => a.line - b.line;
  return {
    sure: planner.sure.sort(byLine),
    likely: planner.likely.sort(byLine),
    unchanged: planner.unchanged.sort(byLine),
    left: planner.left.sort(byLine),
  };
}
