/** What the importer says of a place in the input. Plain data; a value is in nothing but `value`. */

/** A key that was found, and how sure that is. */
export interface ImportedKey {
  /** `sure` is taken; `likely` is asked for. */
  readonly pile: 'sure' | 'likely';
  /** 1-based; of a text in a structured file where its value begins. */
  readonly line: number;
  /** The name to store it under; where it is numbered, the family's first. */
  readonly name: string;
  /** True where keys of this name are interchangeable: the next free number will do. */
  readonly isNumbered: boolean;
  /** The number that was written; null lets it follow in order. */
  readonly number: number | null;
  readonly value: string;
  /** Why it is asked for, in our words; empty for a sure one. */
  readonly reason: string;
}

/** What looks as if it held a secret and is not taken. */
export interface LeftAlone {
  readonly pile: 'left';
  readonly line: number;
  /** Its last line, where it has several: an unclosed quote, a private key. */
  readonly through: number;
  /** Null where the text gives none that is surely a name. */
  readonly name: string | null;
  /** Our words, lower case. */
  readonly reason: string;
}

export type ImportFinding = ImportedKey | LeftAlone;

export function left(line: number, reason: string, name: string | null = null): LeftAlone {
  return { pile: 'left', line, through: line, name, reason };
}
