/** The text before a remark: a `#` behind white space begins one, as in shells and in YAML. */
export function withoutRemark(text: string): string {
  for (let at = text.indexOf('#', 1); at !== -1; at = text.indexOf('#', at + 1)) {
    const before = text.slice(0, at);
    const bare = before.trimEnd();
    if (bare.length < before.length) return bare;
  }
  return text;
}
