/** What a file of the corpus is, and invented secrets in the forms of the providers. */

import { randomBytes, randomInt } from 'node:crypto';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

export function mixed(length: number): string {
  const text = Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)]).join('');
  // At least a digit, a capital and a small letter, so that no run passes for a word.
  return `a7${text.slice(4)}Z3`;
}

const hex = (bytes: number): string => {
  const text = randomBytes(bytes).toString('hex');
  return /\d/.test(text) && /[a-f]/.test(text) ? text : hex(bytes);
};

/** Invented keys, new in every run: none stands in the repository. */
export const SK = Array.from({ length: 9 }, () => `${'sk'}-${hex(16)}`);
export const PX = Array.from({ length: 5 }, () => `${'pplx'}-${mixed(48)}`);
export const [SK0 = '', SK1 = '', SK2 = '', SK3 = ''] = SK;
export const [PX0 = '', PX1 = '', PX2 = ''] = PX;
export const LONGER_SK = `${'sk'}-${mixed(48)}`;
export const ANTHROPIC = `${'sk'}-ant-api03-${mixed(40)}`;
export const OPENAI = `${'sk'}-proj-${mixed(48)}`;
export const OPENROUTER = `${'sk'}-or-v1-${hex(32)}`;
export const GITHUB = `${'ghp'}_${mixed(36)}`;
export const BYBIT = mixed(18);
export const BYBIT_SECRET = mixed(36);
export const PASSWORD = `Hu${mixed(10)}!`;
export const OPAQUE = mixed(32);

export const SECRETS = [
  ...SK,
  ...PX,
  LONGER_SK,
  ANTHROPIC,
  OPENAI,
  OPENROUTER,
  GITHUB,
  BYBIT,
  BYBIT_SECRET,
  PASSWORD,
  OPAQUE,
];

export interface CorpusCase {
  /** What the file is, as a person would say it. */
  readonly title: string;
  readonly text: string;
  /** Name → value. */
  readonly sure?: Readonly<Record<string, string>>;
  readonly likely?: Readonly<Record<string, string>>;
  /** Lines that have to be left alone, and said. */
  readonly left?: readonly number[];
}
