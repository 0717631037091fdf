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
/** `title="src/a.ts"`, `filename: a.ts`, `showLineNumbers`; or lines alone: `{1,3}`. */
const ATTRIBUTE =
  /^(?:\{[\d,\s-]{1,80}\}|\{?\s?([a-z_]{2,20})(?:(?:=|:\s?)(?:"([^"]{0,200})"|'([^']{0,200})'|([^\s"'},]{1,200})))?)(?:[\s,}]{1,8}|$)/i;
/** What documentation tools put behind the language. */
const ATTRIBUTES = new Set(
  `title file filename name path caption label id class start startline lines highlight hl_lines
  linenums linenos linenumbers numberlines showlinenumbers wrap copy fold frame mark ins del`.split(
    /\s+/,
  ),
);
const NAMES_FILE = /^(?:title|file|filename|name|path)$/;

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
  return isFileName(text) ? text : null;
}

/** Attributes at the beginning of `text`: the file that they name, and what is left. */
function readAttributes(text: string): { readonly file: string | null; readonly rest: string } {
  let file: string | null = null;
  let rest = text;
  for (;;) {
    const [all, told = '', ...values] = ATTRIBUTE.exec(rest) ?? [];
    const name = told.toLowerCase();
    if (all === undefined || (name !== '' && !ATTRIBUTES.has(name))) return { file, rest };
    if (NAMES_FILE.test(name)) file ??= fileIn(values.join('').trim());
    rest = rest.slice(all.length);
  }
}

export function readInfo(raw: string): Info {
  const info = raw.slice(0, MAX_INFO).trim();
  const whole = readAttributes(info).file ?? fileIn(info);
  if (whole !== null) {
    return { language: extensionOf(whole), file: whole, caption: '', code: '' };
  }
  const [, language, behind] = LANGUAGE.exec(info) ?? [];
  if (language === undefined) return { language: null, file: null, caption: info, code: '' };
  const told = readAttributes((behind ?? '').replace(/^[\s:,}]{1,20}/, ''));
  const named = fileIn(told.rest);
  const file = told.file ?? named;
  const caption = named === null ? told.rest : '';
  const isCode = isCodeLine(caption) && !/^[{[]/.test(caption);
  return { language, file, caption: isCode ? '' : caption, code: isCode ? caption : '' };
}

/** A sentence is no info string: a fence in front of one closes, whatever CommonMark says. */
export function isInfo(raw: string): boolean {
  const words = raw.split(/\s/).length;
  return (words <= 2 && !/[.!?]$/.test(raw)) || /[={[]/.test(raw);
}
