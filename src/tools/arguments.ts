/**
 * Raw arguments → validated ones, or one sentence a model can act on: which argument, what is
 * wrong, which limit. What was sent is never repeated; it may be long, hostile or a secret.
 */

import * as z from 'zod';
import { grouped } from '../base/grouped.ts';
import type { Tool } from './tool.ts';

export type ParsedArguments<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly problem: string };

type Issue = z.core.$ZodIssue;

const KINDS: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  array: 'a list',
  object: 'an object',
};

const UNITS: Readonly<Record<string, string>> = { string: 'character', array: 'entry' };
const PLURALS: Readonly<Record<string, string>> = { character: 'characters', entry: 'entries' };

/** `query[2]`: the argument and the place in it. */
function placeOf(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      return index === 0 ? String(part) : `.${String(part)}`;
    })
    .join('');
}

function isMissing(raw: unknown, path: readonly PropertyKey[]): boolean {
  let value = raw;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return true;
    value = Reflect.get(value, part);
  }
  return value === undefined;
}

/** A name fit to be repeated, so that a typing error is found; never anything that could be data. */
function isArgumentName(name: string): boolean {
  const digits = name.replace(/\D/g, '').length;
  return name.length <= 40 && digits <= 3 && /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/i.test(name);
}

function unknownArguments(keys: readonly string[], known: readonly string[]): string {
  const names = keys.filter(isArgumentName).slice(0, 5);
  const subject =
    names.length === 0 ? 'an argument is unknown' : `unknown argument ${names.join(', ')}`;
  return `${subject}; this tool takes ${known.join(', ')}`;
}

function rangeProblem(place: string, issue: z.core.$ZodIssueTooBig | z.core.$ZodIssueTooSmall) {
  const isMost = issue.code === 'too_big';
  const bound = Number(isMost ? issue.maximum : issue.minimum);
  const limit = `at ${isMost ? 'most' : 'least'} ${grouped(bound)}`;
  const unit = UNITS[issue.origin];
  if (unit === undefined) return `${place} has to be ${limit}`;
  return `${place} has to have ${limit} ${bound === 1 ? unit : PLURALS[unit]}`;
}

/** The branch of a union that the value's own kind chose, if its problem is more than its type. */
function unionProblem(issue: z.core.$ZodIssueInvalidUnion, place: string): Issue | string {
  const inner = issue.errors.flat().find((candidate) => candidate.code !== 'invalid_type');
  const deep = issue.errors.flat().find((candidate) => candidate.path.length > 0);
  const chosen = inner ?? deep;
  if (chosen === undefined) return `${place} has to be a string or a list of strings`;
  return { ...chosen, path: [...issue.path, ...chosen.path] };
}

function problemOf(issue: Issue, raw: unknown, known: readonly string[]): string {
  const place = placeOf(issue.path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return unknownArguments(issue.keys, known);
    case 'too_big':
    case 'too_small':
      return rangeProblem(place, issue);
    case 'invalid_value':
      return `${place} has to be one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_union': {
      if (isMissing(raw, issue.path)) return `${place} is missing`;
      const chosen = unionProblem(issue, place);
      return typeof chosen === 'string' ? chosen : problemOf(chosen, raw, known);
    }
    case 'invalid_type':
      if (place === '') return 'the arguments have to be an object';
      if (isMissing(raw, issue.path)) return `${place} is missing`;
      return `${place} has to be ${KINDS[issue.expected] ?? `of type ${issue.expected}`}`;
    case 'custom':
    case 'invalid_format':
      return place === '' ? issue.message : `${place} ${issue.message}`;
    default:
      return `${place} is not valid`;
  }
}

/** What stands behind `optional` and `default`. */
function bare(schema: unknown): unknown {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault
    ? bare(schema.unwrap())
    : schema;
}

function takesList(schema: unknown): boolean {
  const inner = bare(schema);
  if (inner instanceof z.ZodUnion) return inner.options.some(takesList);
  return inner instanceof z.ZodArray;
}

/** The list of strings that a text holds as JSON; null when it holds none. */
function listIn(text: string): string[] | null {
  if (!/^\s*\[/.test(text)) return null;
  try {
    const value: unknown = JSON.parse(text);
    const isList = Array.isArray(value) && value.every((entry) => typeof entry === 'string');
    return isList ? value : null;
  } catch {
    return null;
  }
}

/**
 * What a client meant: some write null for an argument that they leave out, and some a list as its
 * JSON text where a schema takes either.
 */
function meant(raw: unknown, shape: Readonly<Record<string, unknown>>): unknown {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return raw ?? {};
  const given = Object.entries(raw).filter(([, value]) => value !== null);
  return Object.fromEntries(
    given.map(([name, value]) => {
      const mayBeList = typeof value === 'string' && takesList(shape[name]);
      return [name, mayBeList ? (listIn(value) ?? value) : value];
    }),
  );
}

/**
 * Validates what a client sent.
 *
 * @param raw `params.arguments` as it came; absent counts as empty
 */
export function parseArguments(tool: Tool, raw: unknown): ParsedArguments<unknown> {
  const shape = tool.input instanceof z.ZodObject ? tool.input.shape : {};
  const given = meant(raw, shape);
  const parsed = tool.input.safeParse(given);
  if (parsed.success) return { ok: true, value: parsed.data };
  const known = Object.keys(shape);
  const problems = parsed.error.issues.slice(0, 3).map((issue) => problemOf(issue, given, known));
  return { ok: false, problem: [...new Set(problems)].join('; ') };
}

/**
 * Up to here the list of tools says how long a text may be. llama.cpp makes a grammar of the list,
 * and a rule of every character that a schema counts.
 */
const LISTED_LENGTH = 64;

/**
 * A string of `min` to `max` characters, counted as JSON Schema counts them: code points, not
 * UTF-16 units. At least one of them has to be more than white space.
 */
export function boundedText(min: number, max: number) {
  return z
    .string()
    .superRefine((text, context) => {
      const tooLong = text.length > max && [...text].length > max;
      if (tooLong) {
        context.addIssue({ code: 'custom', message: `has more than ${grouped(max)} characters` });
      } else if (min > 0 && text.trim() === '') {
        context.addIssue({
          code: 'custom',
          message: `is empty; it takes 1 to ${grouped(max)} characters`,
        });
      }
    })
    .meta({ ...(min > 0 && { minLength: min }), ...(max <= LISTED_LENGTH && { maxLength: max }) });
}
