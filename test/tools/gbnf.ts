/**
 * What llama.cpp makes of a tool's schema: a grammar. It takes some of JSON Schema's words, some of
 * the escapes of a regular expression, and a bounded number of rules; anything else fails every
 * request while the tool is on. Here the schema becomes the same rules, as a regular expression
 * over the JSON text, or an error says what cannot be read.
 */

import { isRecord } from '../../src/base/text/json.ts';

/** Its converter counts repeated characters as rules; older builds write each of them out. */
const MOST_REPEATS = 100;
const WORDS = new Set([
  ...['type', 'properties', 'required', 'additionalProperties', 'items', 'anyOf', 'enum'],
  ...['pattern', 'minLength', 'maxLength', 'minItems', 'maxItems', 'minimum', 'maximum'],
  ...['default', 'description', 'title'],
]);
/** A grammar's parser knows these after a backslash, beside code points. */
const ESCAPES = new Set(['t', 'r', 'n', '\\', '"', '[', ']']);
/** Of a pattern, outside a class: the converter makes a literal of them. */
const PUNCTUATION = new Set([
  '^',
  '$',
  '.',
  '[',
  ']',
  '(',
  ')',
  '|',
  '{',
  '}',
  '*',
  '+',
  '?',
  '/',
  '-',
]);

export class UnreadableSchema extends Error {
  override readonly name = 'UnreadableSchema';
}

function refuse(what: string): never {
  throw new UnreadableSchema(what);
}

function bounded(count: unknown): void {
  if (typeof count === 'number' && count > MOST_REPEATS) refuse(`${count} repetitions`);
}

/** @returns the pattern without its anchors */
function patternRule(pattern: string): string {
  if (!pattern.startsWith('^') || !pattern.endsWith('$')) refuse(`no anchors: ${pattern}`);
  const body = pattern.slice(1, -1);
  let isInClass = false;
  for (let at = 0; at < body.length; at++) {
    const char = body[at] ?? '';
    if (char === '\\') {
      const next = body[at + 1] ?? '';
      const isKnown = ESCAPES.has(next) || (!isInClass && PUNCTUATION.has(next));
      if (!isKnown) refuse(`unknown escape \\${next} in ${pattern}`);
      at++;
    } else if (char === '[') isInClass = true;
    else if (char === ']') isInClass = false;
    else if (!isInClass && body.startsWith('(?', at)) refuse(`a group that is none: ${pattern}`);
  }
  for (const [, least, most] of body.matchAll(/\{(\d+)(?:,(\d*))?\}/g)) {
    bounded(Number(least));
    bounded(Number(most || 0));
  }
  return body;
}

function textRule(schema: Record<string, unknown>): string {
  bounded(schema.minLength);
  bounded(schema.maxLength);
  if (typeof schema.pattern === 'string') return `"(?:${patternRule(schema.pattern)})"`;
  const { minLength = 0, maxLength = '' } = schema;
  return `"(?:[^"\\\\]|\\\\.){${minLength},${maxLength}}"`;
}

function listRule(schema: Record<string, unknown>): string {
  bounded(schema.maxItems);
  const item = ruleOf(schema.items);
  const { minItems = 0, maxItems = '' } = schema;
  const most = typeof maxItems === 'number' ? maxItems - 1 : '';
  const some = `${item}(?:,${item}){${Math.max(0, Number(minItems) - 1)},${most}}`;
  return minItems === 0 ? `\\[(?:${some})?\\]` : `\\[${some}\\]`;
}

/** Members in the order of the schema, the optional ones each there or not, as in the grammar. */
function objectRule(schema: Record<string, unknown>): string {
  if (schema.additionalProperties !== false) refuse('an open object');
  const { properties = {}, required = [] } = schema;
  if (!isRecord(properties) || !Array.isArray(required)) refuse('no properties');
  const members = Object.entries(properties).map(([name, member]) => {
    const rule = `(?:(?:(?<=\\{)|,)"${name}":${ruleOf(member)})`;
    return required.includes(name) ? rule : `${rule}?`;
  });
  return `\\{${members.join('')}\\}`;
}

function ruleOf(schema: unknown): string {
  if (!isRecord(schema)) refuse('a schema that is none');
  const unknown = Object.keys(schema).find((word) => !WORDS.has(word));
  if (unknown !== undefined) refuse(`the word ${unknown}`);
  if (Array.isArray(schema.anyOf)) return `(?:${schema.anyOf.map(ruleOf).join('|')})`;
  if (Array.isArray(schema.enum))
    return `(?:${schema.enum.map((value) => JSON.stringify(value)).join('|')})`;
  switch (schema.type) {
    case 'string':
      return textRule(schema);
    case 'integer':
      return '-?\\d{1,16}';
    case 'number':
      return '-?\\d{1,16}(?:\\.\\d{1,16})?';
    case 'array':
      return listRule(schema);
    case 'object':
      return objectRule(schema);
    default:
      return refuse(`the type ${String(schema.type)}`);
  }
}

/** @throws UnreadableSchema */
export function grammarOf(schema: unknown): RegExp {
  return new RegExp(`^${ruleOf(schema)}$`, 's');
}
