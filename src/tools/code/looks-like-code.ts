/** Whether text without fences is code or prose: by its lines, which are one or the other. */

/** Longer lines are looked at by their beginning. */
const LOOKED_AT = 400;
const MAX_LINES = 2_000;

const STATEMENT =
  /^(?:(?:async )?(?:def|fn|func|function)\s\w|(?:export|import|package|using|namespace|module|require|include|use|from|pub|public|private|protected|static|const|let|var|val|return|yield|raise|throw|elif|else|end|fi|done|esac|begin|try|catch|finally|switch|case|struct|enum|interface|type|trait|impl|class|extends|extern|typedef|template|global|local|echo|print|printf|puts|set|export)\b[^.!?]{0,300}[\w)\]}>"'`;:{,=(]$|#!|#include|#define|#\[|@\w|<\/?[a-z!][^>]{0,300}>?|\/\/|\/\*|--\s|"""|''')/;
const SQL =
  /^(?:SELECT\b.{1,300}|INSERT INTO|UPDATE \w+ SET|DELETE FROM|CREATE (?:TABLE|INDEX|VIEW|FUNCTION|DATABASE|UNIQUE|TYPE|OR)|ALTER TABLE|DROP (?:TABLE|INDEX|VIEW)|WITH \w+ AS|FROM \w+|WHERE \w|GROUP BY|ORDER BY|(?:LEFT |INNER |RIGHT )?JOIN|BEGIN;|COMMIT)/i;
const SHELL =
  /^(?:\$ |> )?(?:sudo |npx? |npm |pnpm |yarn |pip3? |python3? |node |git |docker |kubectl |curl |wget |cargo |go |brew |apt(?:-get)? |cd |ls |mkdir |rm |cp |mv |cat |chmod |grep |sed |awk |find |tar |ssh |make |export |source |terraform |helm )\S/;
const SETTING =
  /^(?:- )?["']?[a-z][\w.-]{0,60}["']?\s?(?::(?:\s\S{0,300}|$)|=\s?\S)|^\[[\w. "-]{1,80}\]$/;
const PUNCTUATED =
  /[;{}]$|^[}\])]|\)\s?(?:=>|->|\{)|=>|:=|[^=!<>]=[^=]|\w\([^)]{0,200}\)[;,)]?$|\w\(\)/;
const SENTENCE_END = /[.!?。！？…][)"'”»]?$/;
const MARKUP = /^(?:#{1,6}|[-*+>]|\d{1,3}[.)])\s{1,8}/;
const SYMBOL = /[{}();=<>[\]_\\$|&]/g;

function wordsIn(text: string): number {
  return text.split(/\s/).filter((word) => /^["'(*_]{0,3}\p{L}/u.test(word)).length;
}

/** Reads as a sentence, or a part of one. */
export function isProseLine(line: string): boolean {
  const text = line.trim().slice(0, LOOKED_AT);
  const said = text.replace(MARKUP, '').replace(/`[^`]{0,200}`/g, 'x');
  const symbols = said.match(SYMBOL)?.length ?? 0;
  const isPlain = symbols <= said.length / 25;
  if (!isPlain) return false;
  if (/^\p{Lu}[^:]*:$/u.test(said)) return wordsIn(said) >= 2;
  return SENTENCE_END.test(said)
    ? wordsIn(said) >= 2 || /[。！？]$/.test(said)
    : wordsIn(said) >= 5;
}

/** One line that only code has. */
export function isStatement(line: string): boolean {
  const text = line.trim().slice(0, LOOKED_AT);
  if (/^(?:\/\/|\/\*|#!|#include|"""|<[a-z!/])/.test(text)) return true;
  if (SHELL.test(text) || SQL.test(text)) return !SENTENCE_END.test(text);
  return !isProseLine(text) && (STATEMENT.test(text) || PUNCTUATED.test(text));
}

/** The same, or a setting: `key: value` is many things. */
export function isCodeLine(line: string): boolean {
  const text = line.trim().slice(0, LOOKED_AT);
  return isStatement(text) || (!isProseLine(text) && SETTING.test(text));
}

/** True when more of the lines are code than prose; a few bare words are code, too: `ls -la`. */
export function looksLikeCode(text: string): boolean {
  const lines = text.split('\n', MAX_LINES).filter((line) => line.trim() !== '');
  const code = lines.filter(isCodeLine).length;
  const prose = lines.filter(isProseLine).length;
  if (code !== prose || code > 0) return code >= prose;
  const [only, ...others] = lines;
  if (only === undefined || others.length > 0) return false;
  // One line of which nothing can be said: a word with a capital, or a question, is an answer.
  return !/^["'*_]{0,3}\p{Lu}\p{Ll}|^\p{Lo}|[.!?。！？]$/u.test(only.trim());
}
