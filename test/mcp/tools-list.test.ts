/** The tool surface as clients of both eras receive it. A change here is a change for every user. */

import { AjvJsonSchemaValidator } from '@modelcontextprotocol/client/validators/ajv';
import { afterEach, describe, expect, it } from 'vitest';
import { LISTED_TOOLS } from '../../src/tools/listed.ts';
import { fakeHost, Session } from './stdio-session.ts';

let client: Session;

afterEach(async () => {
  await client.close();
});

const MODERN = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};

describe('tools/list', () => {
  it.each([
    ['2025-11-25', {}],
    ['2026-07-28', { _meta: MODERN }],
  ])('of %s is the committed one', async (version, params) => {
    client = new Session(fakeHost());
    client.send({ id: 1, method: 'tools/list', params });
    const { result } = await client.reply(1);
    await expect(`${JSON.stringify(result, null, 2)}\n`).toMatchFileSnapshot(
      `../fixtures/tool-schemas/${version}.json`,
    );
  });

  it('is the same bytes every time', async () => {
    client = new Session(fakeHost());
    client.send({ id: 1, method: 'tools/list' });
    client.send({ id: 2, method: 'tools/list' });
    const [first, second] = [await client.reply(1), await client.reply(2)];
    expect(JSON.stringify(first.result)).toBe(JSON.stringify(second.result));
  });

  it('has a title, a description, all annotations and closed schemas for every tool', async () => {
    client = new Session(fakeHost());
    for (const tool of LISTED_TOOLS) {
      expect(tool.title.length).toBeGreaterThan(5);
      expect(tool.description.length).toBeLessThan(500);
      expect(tool.annotations).toEqual({
        readOnlyHint: true,
        destructiveHint: false,
        idempotentHint: false,
        openWorldHint: true,
      });
      expect(tool.inputSchema.additionalProperties).toBe(false);
      const { required, properties } = tool.outputSchema;
      expect([...required].sort()).toEqual(Object.keys(properties).sort());
      expect(JSON.stringify(tool)).not.toContain('$schema');
    }
  });
});

describe('results', () => {
  it.each([
    ['deepseek_generate_code', { prompt: 'add' }],
    ['perplexity_search', { query: 'notes' }],
  ])('of %s validate against the schema that a client sees', async (name, args) => {
    client = new Session(fakeHost());
    const listed = LISTED_TOOLS.find((tool) => tool.name === name);
    const validate = new AjvJsonSchemaValidator().getValidator({ ...listed?.outputSchema });
    client.call(1, name, args);
    const { result } = await client.reply(1);
    expect(validate(result?.structuredContent)).toMatchObject({ valid: true });
    expect(validate({ code: 'alone', results: [] })).toMatchObject({ valid: false });
  });
});
