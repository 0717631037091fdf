/** The two encodings that authenticated bytes depend on: strict base64url and canonical JSON. */

/**
 * Decodes base64url strictly: exactly one text stands for given bytes, so white space, the other
 * alphabet, stray bits and missing or extra padding are all refused.
 *
 * @returns null when `text` is not the canonical form
 */
export function decodeBase64url(text: string, padding: 'padded' | 'bare'): Buffer | null {
  const bytes = Buffer.from(text, 'base64url');
  return encodeBase64url(bytes, padding) === text ? bytes : null;
}

export function encodeBase64url(bytes: Uint8Array, padding: 'padded' | 'bare'): string {
  const bare = Buffer.from(bytes).toString('base64url');
  return padding === 'bare' ? bare : bare.padEnd(Math.ceil(bare.length / 4) * 4, '=');
}

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json | undefined;
}

/** One text for one value: keys sorted by code unit, no white space. What MACs are made over. */
export function canonicalJson(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (isJsonObject(value)) {
    const members = Object.keys(value)
      .filter((name) => value[name] !== undefined)
      .sort()
      .map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name])}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value ?? null);
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The first object key that stands twice in `text`, or null. `JSON.parse` keeps the last of two
 * silently, so two readers of one file may see two different secrets under one name.
 *
 * @param text valid JSON
 */
export function duplicateKey(text: string): string | null {
  const open: Array<Set<string>> = [];
  const token = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}]/g;
  for (const match of text.matchAll(token)) {
    const [found] = match;
    if (found === '{') open.push(new Set());
    else if (found === '}') open.pop();
    else if (match[1] !== undefined) {
      const name: unknown = JSON.parse(found.slice(0, found.length - match[1].length));
      const names = open.at(-1);
      if (typeof name !== 'string' || names === undefined) continue;
      if (names.has(name)) return name;
      names.add(name);
    }
  }
  return null;
}
