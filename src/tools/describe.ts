/**
 * What `tools/list` says of a tool, made from its zod schemas. Costs zod's import and is therefore
 * run when the product is built, not when it starts: the result is committed in listing/, and a
 * test holds the two together.
 */

import * as z from 'zod';
import { RESULT_SIZE, type Tool, type ToolAnnotations } from './tool.ts';

export type JsonSchema = { [key: string]: unknown };

export interface ToolDescription {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: JsonSchema;
  readonly outputSchema: JsonSchema;
  readonly annotations: ToolAnnotations;
  readonly _meta: typeof RESULT_SIZE;
}

/** zod bounds every integer by what a double can hold: true of all JSON, and paid for in tokens. */
function withoutObviousBounds(schema: JsonSchema): void {
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
}

/** `anyOf: [{type: a}, {type: null}]` is `type: [a, null]`. */
function withShortUnion(schema: JsonSchema): void {
  if (!Array.isArray(schema.anyOf)) return;
  const types = schema.anyOf.map((branch: JsonSchema) =>
    Object.keys(branch).length === 1 ? branch.type : undefined,
  );
  if (types.some((type) => typeof type !== 'string')) return;
  delete schema.anyOf;
  schema.type = types;
}

/** JSON Schema 2020-12, its default dialect; no `$schema`, which strict clients compare. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    override: ({ jsonSchema: node }) => {
      withoutObviousBounds(node);
      withShortUnion(node);
    },
  });
  return rest;
}

export function describeTool(tool: Tool): ToolDescription {
  return {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: jsonSchema(tool.input, 'input'),
    outputSchema: jsonSchema(tool.output, 'output'),
    annotations: tool.annotations,
    _meta: RESULT_SIZE,
  };
}
