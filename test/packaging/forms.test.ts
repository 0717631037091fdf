import { readFileSync } from 'node:fs';
import { parse as parseToml } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import * as z from 'zod';
import manifest from '../../package.json' with { type: 'json' };
import { CLIENTS } from '../../src/clients/client-rows.ts';
import { mcpbManifest } from '../../src/packaging/forms.ts';
import { generatedFiles } from '../../src/packaging/write-forms.ts';

function inRepository(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

describe('the generated forms', () => {
  it.each(Object.entries(generatedFiles()))('%s is what npm run forms writes', (path, text) => {
    expect(inRepository(path)).toBe(text);
  });

  it('server.json keeps to what the registry checks', () => {
    const secret = z.looseObject({ name: z.string().regex(/_KEY$/), isSecret: z.literal(true) });
    const other = z.looseObject({ name: z.string(), isSecret: z.literal(false) });
    const server = z.strictObject({
      $schema: z.literal(
        'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
      ),
      name: z
        .string()
        .regex(/^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/)
        .max(200),
      title: z.string().min(1).max(100),
      description: z.string().min(1).max(100),
      version: z.literal(manifest.version),
      packages: z
        .array(
          z.strictObject({
            registryType: z.literal('npm'),
            identifier: z.literal(manifest.name),
            version: z.literal(manifest.version),
            runtimeHint: z.literal('npx'),
            transport: z.strictObject({ type: z.literal('stdio') }),
            environmentVariables: z.array(z.union([secret, other])),
          }),
        )
        .length(1),
    });
    expect(server.parse(JSON.parse(inRepository('server.json'))).name).toBe(manifest.mcpName);
  });

  it('the bundle asks for keys as sensitive and requires nothing', () => {
    const options = z
      .object({
        user_config: z.record(
          z.string(),
          z.object({ required: z.literal(false), sensitive: z.boolean().optional() }),
        ),
      })
      .parse(mcpbManifest()).user_config;
    for (const [name, option] of Object.entries(options)) {
      expect(option.sensitive === true).toBe(name.endsWith('_key'));
    }
  });

  it('every block of docs/clients.md can be read, and every client has both systems in it', () => {
    const page = inRepository('docs/clients.md');
    const blocks = [...page.matchAll(/```(json|toml|yaml)\n(.*?)```/gs)];
    expect(blocks.length).toBe(CLIENTS.length * 2 + 3);
    for (const [, language, text] of blocks) {
      if (language === 'json') JSON.parse(text ?? '');
      else if (language === 'toml') parseToml(text ?? '');
      else expect(() => parseYaml(text ?? '')).not.toThrow();
    }
    for (const { id, root, format } of CLIENTS) {
      const section = page.split(`install ${id}\n`)[1]?.split('\n## ')[0] ?? '';
      expect(section).toContain(root);
      expect(section).toContain('/path/to/keypool-mcp/dist/cli.js');
      const separator = format === 'yaml' ? '\\' : '\\\\';
      expect(section).toContain(['', 'keypool-mcp', 'dist', 'cli.js'].join(separator));
    }
  });
});
