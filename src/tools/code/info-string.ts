/** What a fence says of its block: the language, the file, and the rest. */

import { isFileName } from './file-names.ts';
import { isCodeLine } from './looks-like-code.ts';

export interface Info {
  readonly language: string | null;
  readonly file: string | null;
  /** Words for a reader. */
  readonly caption: string;
  /** Code that stands where no code should: ```js const a = 1; */
  readonly code: string;
}

const MAX_INFO = 300;
/** The language, in the forms `ts`, `.ts`, `{.ts}` and `language-ts`; then the rest. */
const LANGUAGE = /^(?:language-|\{?\.)?([a-z0-9][a-z0-9+#_-]{0,39})(?:[\s:,}]|$|(?=\{))([\s\S]*)$/i;
/** `title="src/a.ts"`, `file=a.ts`, `filename: a.ts`. */
const NAMED = /^\{?\s?(?:title|file|filename|name|path)\s?[=:]\s?["']?([^"'}]{1,200})["']?\}?$/i;

/** Languages that a word alone names, where no fence makes clear that it does. */
const LANGUAGES = new Set(
  `bash c c# c++ cpp cs csharp css dart diff dockerfile elixir erlang go golang graphql groovy haskell
  html ini java javascript js json jsx julia kotlin latex less lua makefile markdown matlab nginx perl
  php plaintext powershell proto py python python3 r rb rs ruby rust scala scss sh shell sql swift text
  toml ts tsx typescript vb vue xml yaml yml zig zsh`.split(/\s+/),
);

export function isLanguage(word: string): boolean {
  return LANGUAGES.has(word.toLowerCase());
}

/** `src/a.ts` → `ts`. */
export function extensionOf(file: string): string | null {
  return /\.([a-z0-9]{1,10})$/i.exec(file)?.[1] ?? null;
}

function fileIn(text: string): string | null {
  const name = (NAMED.exec(text)?.[1] ?? text).trim();
  return isFileName(name) ? name : null;
}

export function readInfo(raw: string): Info {
  const info = raw.slice(0, MAX_INFO).trim();
  const whole = fileIn(info);
  if (whole !== null) {
    return { language: extensionOf(whole), file: whole, caption: '', code: '' };
  }
  const [, language, rest] = LANGUAGE.exec(info) ?? [];
  if (language === undefined) return { language: null, file: null, caption: info, code: '' };
  const caption = (rest ?? '').replace(/^[\s:,}]{1,20}/, '');
  const file = fileIn(caption);
  if (file !== null) return { language, file, caption: '', code: '' };
  const isCode = isCodeLine(caption) && !/^[{[]/.test(caption);
  return { language, file: null, caption: isCode ? '' : caption, code: isCode ? caption : '' };
}

/** A sentence is no info string: a fence in front of one closes, whatever CommonMark says. */
export function isInfo(raw: string): boolean {
  const words = raw.trim().split(/\s/).length;
  return words <= 2 || /[={[]/.test(raw);
}
