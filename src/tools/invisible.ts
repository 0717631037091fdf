/**
 * Characters that nobody sees and a model reads: between them whole messages can be hidden. Real
 * text needs some: emoji sequences, flags, Persian and Indic joiners, word breaks of scripts without
 * blanks. Those stay where they belong, one at a place, and everything else goes.
 */

/** Default_Ignorable_Code_Point of Unicode, order marks, and interlinear annotations. */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\uFFF9-\uFFFB]+/gu;

const ZWNJ = '\u200C';
const ZWJ = '\u200D';
const ZWSP = '\u200B';
const TEXT_STYLE = '\uFE0E';
const EMOJI_STYLE = '\uFE0F';
const BLACK_FLAG = '\u{1F3F4}';
const KEYCAP = '\u20E3';

const PICTURE = /^[\p{Extended_Pictographic}\p{Emoji_Modifier}]$/u;
const KEYCAP_BASE = /^[0-9#*]$/;
/** Scripts in which a joiner between two letters is spelling. */
const JOINING =
  /^(?:(?![\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Han}])[\p{Script_Extensions=Arabic}\p{Script_Extensions=Syriac}\p{Script=Nko}\p{Script=Mandaic}\p{Script=Mongolian}\p{Script_Extensions=Devanagari}\p{Script_Extensions=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}\p{Script=Javanese}\p{Script=Balinese}])$/u;
const LETTER_OR_MARK = /^[\p{L}\p{M}]$/u;
/** Scripts that mark the end of a word by nothing, or by a blank without width. */
const UNSPACED = /^[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]$/u;
const MONGOLIAN = /^\p{Script=Mongolian}$/u;
const MONGOLIAN_VARIANT = /^[\u180B-\u180F]$/;
const HAN = /^\p{Script=Han}$/u;
/** Standardized variants of ideographs and mathematical signs; registered ones of ideographs. */
const VARIANT = /^[\uFE00-\uFE02]$/;
const IDEOGRAPHIC_VARIANT = /^[\u{E0100}-\u{E01EF}]$/u;
const MATHEMATICAL = /^\p{Sm}$/u;
/** England, Scotland, Wales and the like: a region and a part of it, then the end. */
const SUBDIVISION =
  /^[\u{E0061}-\u{E007A}]{2}[\u{E0030}-\u{E0039}\u{E0061}-\u{E007A}]{1,3}\u{E007F}/u;

function isJoined(before: string): boolean {
  return LETTER_OR_MARK.test(before) && JOINING.test(before);
}

/** A style of a picture, and the joiner that ties it to the next one. */
function styleKept(run: string, before: string, after: string): string {
  const [style = '', joiner] = run;
  const isKeycap = KEYCAP_BASE.test(before) && style === EMOJI_STYLE && run === style;
  if (isKeycap) return after === KEYCAP ? style : '';
  if (!PICTURE.test(before)) return '';
  return joiner === ZWJ && run.length === 2 && PICTURE.test(after) ? run : style;
}

/** What of a run of invisible characters belongs between the two that are seen. */
function kept(run: string, before: string, after: string): string {
  const [first = '', ...others] = run;
  if (first === EMOJI_STYLE || first === TEXT_STYLE) return styleKept(run, before, after);
  if (before === BLACK_FLAG) return SUBDIVISION.exec(run)?.[0] ?? '';
  if ((first === ZWJ || first === ZWNJ) && isJoined(before)) return first;
  // More than one at a place spells nothing.
  if (others.length > 0) return '';
  if (first === ZWJ) return PICTURE.test(before) && PICTURE.test(after) ? first : '';
  if (first === ZWSP) return UNSPACED.test(before) && UNSPACED.test(after) ? first : '';
  if (MONGOLIAN_VARIANT.test(first)) return MONGOLIAN.test(before) ? first : '';
  if (VARIANT.test(first)) return HAN.test(before) || MATHEMATICAL.test(before) ? first : '';
  return IDEOGRAPHIC_VARIANT.test(first) && HAN.test(before) ? first : '';
}

function characterBefore(text: string, at: number): string {
  const last = text.charCodeAt(at - 1);
  const isLow = last >= 0xdc00 && last <= 0xdfff;
  return text.slice(Math.max(0, at - (isLow ? 2 : 1)), at);
}

/** @param text well-formed */
export function withoutInvisible(text: string): string {
  return text.replace(INVISIBLE, (run, at: number) => {
    const next = text.codePointAt(at + run.length);
    const after = next === undefined ? '' : String.fromCodePoint(next);
    return kept(run, characterBefore(text, at), after);
  });
}
