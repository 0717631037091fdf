import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { UneditableText } from '../../src/clients/file-format.ts';
import { tomlFormat } from '../../src/clients/toml-format.ts';

const place = { root: 'mcp_servers', name: 'keypool-mcp' };
const fields = {
  command: 'C:\\Program Files\\nodejs\\node.exe',
  args: ['C:\\keypool "mcp"\\dist\\cli.js', 'serve'],
  tool_timeout_sec: 200,
};

const merge = (text: string) => tomlFormat.merge(text, place, fields);
const remove = (text: string) => tomlFormat.remove(text, place);

const FILES: Readonly<Record<string, string>> = {
  'every kind of value and comment': `# my settings
model = "gpt-6" # the good one
approval_policy   =   'on-request'
notes = """
[mcp_servers.keypool-mcp]
# not a comment
"""

[mcp_servers.other] # keep
command = "npx" \nargs = [
  "-y", # yes
  "x",
]

# projects
[projects."/home/me/a.b"]
trust_level = "trusted"
when = 2026-01-02T03:04:05Z
big = 9223372036854775807
f = 1.0
`,
  'nothing but a comment': '# only a comment\n',
  'Windows line ends': 'model = "x"\r\n# c\r\n[mcp_servers.a]\r\ncommand = "b"\r\n',
  'a table of tables': '[[hooks]]\na = 1\n[[hooks]]\na = 2\n',
  'the parent table spelled out': '[mcp_servers]\n[mcp_servers.a]\ncommand = "b"\n# end\n',
  'dotted keys': 'mcp_servers.a.command = "x"\nmodel = "y"\n',
};

describe('a client file in TOML', () => {
  for (const [what, text] of Object.entries(FILES)) {
    it(`with ${what} gets the entry below everything else, and its old text back`, () => {
      const merged = merge(text);
      expect(merged.startsWith(text)).toBe(true);
      expect(parse(merged, { integersAsBigInt: true }).mcp_servers).toMatchObject({
        'keypool-mcp': { command: fields.command, args: fields.args, tool_timeout_sec: 200n },
      });
      expect(merge(merged)).toBe(merged);
      expect(remove(merged)).toBe(text);
    });
  }

  it('is made from nothing', () => {
    expect(parse(merge(''))).toEqual({ mcp_servers: { 'keypool-mcp': fields } });
    expect(remove(merge(''))).toBe('');
  });

  it('gets a line end when its last line has none', () => {
    expect(merge('model = "x"').startsWith('model = "x"\n\n[mcp_servers.keypool-mcp]\n')).toBe(
      true,
    );
  });

  it('brings an entry up to date and keeps what somebody added to it', () => {
    const text = `[mcp_servers.'keypool-mcp'] # mine
args = [
  "old.js", # old
]
command = 'old'
enabled = true

[mcp_servers.keypool-mcp.env]
DEEPSEEK_MODEL = "deepseek-v4-pro"

# next
[x]
y = 1
`;
    const merged = merge(text);
    expect(parse(merged)).toEqual({
      mcp_servers: {
        'keypool-mcp': { ...fields, enabled: true, env: { DEEPSEEK_MODEL: 'deepseek-v4-pro' } },
      },
      x: { y: 1 },
    });
    expect(merged).toContain('# mine');
    expect(remove(merged)).toBe('\n# next\n[x]\ny = 1\n');
  });

  it('keeps a time limit that is no longer ours to set only until the next install', () => {
    const text = `[mcp_servers.keypool-mcp]\ncommand = "n"\nargs = []\ntool_timeout_sec = 5\n`;
    expect(parse(merge(text))).toEqual({ mcp_servers: { 'keypool-mcp': fields } });
  });

  it('takes out an entry written as one line', () => {
    const text = '[mcp_servers]\nkeypool-mcp = { command = "n" }\na = { command = "b" } # a\n';
    expect(remove(text)).toBe('[mcp_servers]\na = { command = "b" } # a\n');
  });

  it('says when there is nothing to take out', () => {
    expect(remove('a = 1\n')).toBe('a = 1\n');
  });

  for (const [what, text] of Object.entries({
    'a broken line': 'model = \n',
    'a table defined twice': '[a]\n[a]\n',
    'servers that are no table': 'mcp_servers = 3\n',
    'an inline table of servers, which cannot grow': 'mcp_servers = { a = { command = "x" } }\n',
  })) {
    it(`with ${what} is refused`, () => {
      expect(() => merge(text)).toThrow(UneditableText);
    });
  }

  it('names the place of an error and quotes nothing', () => {
    expect(() => merge('a = 1\nkey = sk-test-bare\n')).toThrow(
      /^is not valid TOML \(line 2, column \d+\)$/,
    );
  });
});
