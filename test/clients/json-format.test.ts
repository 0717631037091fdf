import { evaluate, parse as read } from '@humanwhocodes/momoa';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UneditableText } from '../../src/clients/file-format.ts';
import { jsonFormat } from '../../src/clients/json-format.ts';

// biome-ignore lint/suspicious/noExplicitAny: test data is looked into freely
function parse(text: string): any {
  return evaluate(read(text, { mode: 'jsonc', allowTrailingCommas: true }));
}

const place = { root: 'mcpServers', name: 'keypool-mcp' };
const fields = { command: '/usr/bin/node', args: ['/opt/keypool/dist/cli.js', 'serve'] };

const merge = (text: string) => jsonFormat.merge(text, place, fields);
const remove = (text: string) => jsonFormat.remove(text, place);

const AS_EDITORS_WRITE = `// servers of mine
{
  "theme": "dark", // evenings
  "mcpServers": {
    /* local */
    "other": { "command": "npx", "args": ["-y", "x"] }, // keep
  },
  "n": 1.0,
}
`;

const FILES: Readonly<Record<string, string>> = {
  'a file as editors write it': AS_EDITORS_WRITE,
  'an empty object': '{}\n',
  'servers that are empty': '{\n  "mcpServers": {\n    // none yet\n  },\n  "b": 2\n}\n',
  'a comment after the last member': '{\n  "a": 1 // last\n}\n',
  'a comment before the closing brace': '{\n  "a": 1\n  // end\n}\n',
  'a comma and a comment at the end': '{\n  "a": 1, // last\n}\n',
  'a single line': '{"a":1}',
  'a single line with a comma': '{ "a": 1, }',
  tabs: '{\n\t"a": {\n\t\t"b": []\n\t}\n}\n',
  'four spaces':
    '{\n    "a": 1,\n    "mcpServers": {\n        "x": {\n            "command": "y"\n        }\n    }\n}',
  'Windows line ends':
    '{\r\n  "a": 1,\r\n  "mcpServers": {\r\n    "x": { "command": "y" }\r\n  }\r\n}\r\n',
  'servers on one line': '{\n  "mcpServers": { "x": { "command": "y" } }\n}\n',
  'a comment between value and comma': '{\n  "a": 1 /* one */ ,\n  "b": 2\n}\n',
};

describe('a client file in JSON', () => {
  for (const [what, text] of Object.entries(FILES)) {
    it(`with ${what} gets the entry, and gets back its old text when it is taken out`, () => {
      const merged = merge(text);
      expect(parse(merged)).toEqual({
        ...parse(text),
        mcpServers: {
          ...parse(text).mcpServers,
          'keypool-mcp': fields,
        },
      });
      expect(remove(merged)).toBe(text);
    });

    it(`with ${what} loses no line to the entry`, () => {
      const added = merge(text).split(/\r?\n/);
      const bare = (line: string) => line.replaceAll(/[\s,{}]/g, '');
      for (const line of text.split(/\r?\n/)) {
        expect(added.some((candidate) => bare(candidate).includes(bare(line)))).toBe(true);
      }
    });

    it(`with ${what} stays as it is the second time`, () => {
      const once = merge(text);
      expect(merge(once)).toBe(once);
    });
  }

  it('keeps everything around the new entry to the letter', () => {
    expect(merge(AS_EDITORS_WRITE)).toBe(`// servers of mine
{
  "theme": "dark", // evenings
  "mcpServers": {
    /* local */
    "other": { "command": "npx", "args": ["-y", "x"] }, // keep
    "keypool-mcp": {
      "command": "/usr/bin/node",
      "args": [
        "/opt/keypool/dist/cli.js",
        "serve"
      ]
    },
  },
  "n": 1.0,
}
`);
  });

  it('is made from nothing, and from comments alone', () => {
    expect(parse(merge(''))).toEqual({ mcpServers: { 'keypool-mcp': fields } });
    const merged = merge('// mine\n');
    expect(merged.startsWith('// mine\n')).toBe(true);
    expect(parse(merged)).toEqual({ mcpServers: { 'keypool-mcp': fields } });
  });

  it('brings an entry up to date and keeps what somebody added to it', () => {
    const text =
      '{\n  "mcpServers": {\n    "keypool-mcp": {\n      // tuned\n      "command": "old",\n      "env": { "DEEPSEEK_MODEL": "deepseek-v4-pro" },\n      "args": ["old.js"]\n    }\n  }\n}\n';
    const merged = merge(text);
    expect(parse(merged).mcpServers['keypool-mcp']).toEqual({
      ...fields,
      env: { DEEPSEEK_MODEL: 'deepseek-v4-pro' },
    });
    expect(merged).toContain('// tuned');
  });

  it('replaces an entry of our name that started nothing', () => {
    const text = '{"mcpServers": {"keypool-mcp": {"url": "http://127.0.0.1:8787/mcp"}, "b": {}}}';
    expect(parse(merge(text)).mcpServers).toEqual({ 'keypool-mcp': fields, b: {} });
  });

  it('takes out an entry that stands first, in the middle, or with comments inside', () => {
    const first = '{"mcpServers": {"keypool-mcp": {"command": "n"}, "b": {"command": "c"}}}';
    expect(remove(first)).toBe('{"mcpServers": {"b": {"command": "c"}}}');
    const inside =
      '{\n  "mcpServers": {\n    "a": {}, // a\n    "keypool-mcp": {\n      // ours\n      "command": "n"\n    },\n    "b": {}\n  }\n}\n';
    expect(remove(inside)).toBe('{\n  "mcpServers": {\n    "a": {}, // a\n    "b": {}\n  }\n}\n');
  });

  it('makes room before a brace that stands on the line of the last member', () => {
    expect(JSON.parse(merge('{\n  "a": 1}'))).toEqual({
      a: 1,
      mcpServers: { 'keypool-mcp': fields },
    });
  });

  it('says when there is nothing to take out', () => {
    expect(remove('{ "a": 1 }')).toBe('{ "a": 1 }');
    expect(remove('')).toBe('');
  });

  for (const [what, text] of Object.entries({
    'a missing brace': '{"mcpServers": {',
    'a missing comma': '{"a": 1 "b": 2}',
    'a list': '[1]',
    'a bare word': 'hello',
    'two values': '{} {}',
    'servers that are a list': '{"mcpServers": []}',
    'servers that are null': '{"mcpServers": null}',
    'the servers twice': '{"mcpServers": {}, "mcpServers": {"a": {}}}',
  })) {
    it(`with ${what} is refused`, () => {
      expect(() => merge(text)).toThrow(UneditableText);
    });
  }

  it('names the place of an error and quotes nothing', () => {
    expect(() => merge('{\n  "key": sk-test-not-quoted\n}')).toThrow(
      /^is not valid JSON \(line 2, column 10\)$/,
    );
  });

  it('holds the same data plus ours, whatever the data and the indentation', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.option(fc.dictionary(fc.string(), fc.jsonValue()), { nil: undefined }),
        fc.constantFrom(undefined, 1, 2, 4, '\t'),
        (rest, servers, indent) => {
          const { mcpServers: _, ...others } = rest;
          const data = servers === undefined ? others : { ...others, mcpServers: servers };
          const text = JSON.stringify(data, null, indent);
          if (text.includes('"__proto__"')) return;
          const before = JSON.parse(text);
          const merged = JSON.parse(merge(text));
          expect(merged).toEqual({
            ...before,
            mcpServers: { ...before.mcpServers, 'keypool-mcp': fields },
          });
          const back = JSON.parse(remove(merge(text)));
          if (Object.keys(before.mcpServers ?? {}).length === 0) delete before.mcpServers;
          expect(back).toEqual(before);
        },
      ),
    );
  });
});
