/** Colour and width of text on a terminal. Pure but for what it is told about the terminal. */

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  /** The colours of two parts of a bar. */
  calm(text: string): string;
  warm(text: string): string;
}

const PLAIN: Style = {
  bold: (text) => text,
  dim: (text) => text,
  calm: (text) => text,
  warm: (text) => text,
};

const coloured =
  (begin: number, end: number) =>
  (text: string): string =>
    text === '' ? '' : `\u001B[${begin}m${text}\u001B[${end}m`;

/** Colours of the terminal's own palette: they are legible on light and on dark. */
const COLOURED: Style = {
  bold: coloured(1, 22),
  dim: coloured(2, 22),
  calm: coloured(36, 39),
  warm: coloured(33, 39),
};

/** @see https://no-color.org */
export function styleFor(
  output: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): Style {
  const isPlain = output.isTTY !== true || (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb';
  return isPlain ? PLAIN : COLOURED;
}

/** Scripts whose characters take two columns. */
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\uFF01-\uFF60]/u;
const NO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}]/u;

function columnsOf(character: string): number {
  if (NO_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

export function widthOf(text: string): number {
  return [...text].reduce((sum, character) => sum + columnsOf(character), 0);
}

/** Exactly `width` columns: cut with an ellipsis, or filled up with spaces. */
export function fitted(text: string, width: number): string {
  if (widthOf(text) <= width) return text + ' '.repeat(width - widthOf(text));
  let kept = '';
  for (const character of text) {
    if (widthOf(kept) + columnsOf(character) > width - 1) break;
    kept += character;
  }
  return `${kept}…${' '.repeat(width - 1 - widthOf(kept))}`;
}
