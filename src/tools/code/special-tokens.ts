/**
 * Marks of the model's own trade that leak into answers: tokens for the end of a turn, and
 * reasoning that was written into the answer instead of beside it.
 */

/** `<|end_of_sentence|>`, DeepSeek's `<｜end▁of▁sentence｜>`, `</s>`; bounded, and tried at ends only. */
const TOKEN = /^(?:<[|｜][\w▁ -]{1,40}[|｜]>|<\/?s>|\[\/?INST\])/;
const LONGEST = 44;

/** Length of the token that ends at `to`; 0 when none does. */
function tokenBefore(text: string, to: number): number {
  const end = text[to - 1];
  if (end !== '>' && end !== ']') return 0;
  const tail = text.slice(Math.max(0, to - LONGEST), to);
  const at = tail.lastIndexOf(end === '>' ? '<' : '[');
  const found = TOKEN.exec(tail.slice(at))?.[0] ?? '';
  return found.length === tail.length - at ? found.length : 0;
}

function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 32 || (code >= 9 && code <= 13);
}

/** The text without such tokens at its beginning and its end; other text is left as it is. */
export function withoutTokens(text: string): string {
  let [from, to] = [0, text.length];
  for (let at = 0; at < text.length; ) {
    while (isBlank(text, at)) at++;
    const token = TOKEN.exec(text.slice(at, at + LONGEST))?.[0];
    if (token === undefined) break;
    at += token.length;
    from = at;
  }
  for (let at = text.length; at > from; ) {
    while (at > from && isBlank(text, at - 1)) at--;
    const length = tokenBefore(text, at);
    if (length === 0) break;
    at -= length;
    to = Math.max(from, at);
  }
  return text.slice(from, to);
}

const OPENING = /^\s{0,100}<think(?:ing)?>/i;

/** Reasoning in the answer: before a `</think>`, whether or not anything opened it. */
export function withoutReasoning(answer: string): string {
  const opening = OPENING.exec(answer);
  if (opening !== null) {
    const end = /<\/think(?:ing)?>/i.exec(answer);
    // Never closed: all that came is shown, for there is nothing else.
    const from = end === null ? opening[0].length : end.index + end[0].length;
    return answer.slice(from).trimStart();
  }
  const lone = /^[ \t]{0,100}<\/(?:think|thinking)>/im.exec(answer);
  if (lone === null || /<think/i.test(answer.slice(0, lone.index))) return answer;
  const rest = answer.slice(lone.index + lone[0].length);
  return rest.trim() === '' ? answer.slice(0, lone.index) : rest.trimStart();
}
