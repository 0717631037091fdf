import { describe, expect, it } from 'vitest';
import { UneditableText } from '../../src/clients/file-format.ts';
import { yamlFormat } from '../../src/clients/yaml-format.ts';

const PLACE = { root: 'extensions', name: 'keypool-mcp' };
const FIELDS = {
  name: 'keypool-mcp',
  type: 'stdio',
  cmd: '/usr/bin/node',
  args: ['/x', 'serve'],
  enabled: true,
};
const ENTRY = `  keypool-mcp:
    name: keypool-mcp
    type: stdio
    cmd: /usr/bin/node
    args:
      - /x
      - serve
    enabled: true
`;
const OTHER = `# mine
GOOSE_MODEL: "gpt-5"   # quoted
extensions:
  developer:   # keep
    enabled: true
    type: builtin
`;

describe('YAML of a client', () => {
  it.each([
    ['nothing', ''],
    ['comments only', '# mine\n'],
    ['no table yet', 'GOOSE_MODEL: x\n'],
    ['another entry', OTHER],
    ['something behind the table', `${OTHER}\n# last\nGOOSE_MODE: auto\n`],
    ['CRLF', OTHER.replaceAll('\n', '\r\n')],
    ['four spaces', 'extensions:\n    developer:\n        enabled: true\n'],
    ['no last line end', OTHER.trimEnd()],
  ])('gets the entry and loses it again, to the letter: %s', (_what, before) => {
    const after = yamlFormat.merge(before, PLACE, FIELDS);
    expect(yamlFormat.has(after, PLACE)).toBe(true);
    expect(yamlFormat.merge(after, PLACE, FIELDS)).toBe(after);
    expect(after.endsWith('\n')).toBe(before === '' || before.endsWith('\n'));
    for (const line of before.split('\n')) expect(after).toContain(line);
    expect(yamlFormat.remove(after, PLACE).trimEnd()).toBe(before.trimEnd());
  });

  it('writes the entry as Goose reads it, below the others', () => {
    expect(yamlFormat.merge(OTHER, PLACE, FIELDS)).toBe(OTHER + ENTRY);
  });

  it('keeps what somebody added to our entry, and brings the rest up to date', () => {
    const old = `${OTHER}${ENTRY.replace('/usr/bin/node', '/old/node')}    timeout: 900\n`;
    const after = yamlFormat.merge(old, PLACE, FIELDS);
    expect(after).toContain('cmd: /usr/bin/node');
    expect(after).toContain('timeout: 900');
    expect(after.startsWith(OTHER)).toBe(true);
  });

  it.each([
    ['a flow map', 'extensions: {developer: {enabled: true}}\n'],
    ['broken YAML', 'extensions:\n  a: [\n'],
    ['a list', '- a\n'],
    ['no map below the name', 'extensions: yes please\n'],
  ])('leaves alone what it cannot edit: %s', (_what, text) => {
    expect(() => yamlFormat.merge(text, PLACE, FIELDS)).toThrow(UneditableText);
  });
});
