import { describe, expect, it } from 'vitest';
import { jsonFormat } from '../../src/clients/json-format.ts';

const PLACE = { root: 'mcpServers', name: 'keypool-mcp' };
const FIELDS = { command: '/usr/bin/node', args: ['/x/cli.js', 'serve'] };
const history = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ display: `say "hi" \\ {[ ${at}`, pasted: {} }));
/** As Claude Code writes it: megabytes of history beside a few servers. */
const large = (servers: unknown) => ({
  numStartups: 7,
  projects: { '/a': { history: history(9_000) }, '/b': { history: history(3_000) } },
  mcpServers: servers,
  tipsHistory: history(4_000),
  last: 'keypool-mcp-taken-out#0#',
});

describe.each([
  ['pretty', 2],
  ['in one line', 0],
])('a large file, %s', (_style, indent) => {
  it('gets the entry and keeps everything else to the letter', () => {
    const before = JSON.stringify(large({ other: { command: 'x', args: [] } }), null, indent);
    const after = jsonFormat.merge(before, PLACE, FIELDS);
    expect(JSON.parse(after)).toEqual(
      large({ other: { command: 'x', args: [] }, 'keypool-mcp': FIELDS }),
    );
    expect(jsonFormat.has(before, PLACE)).toBe(false);
    expect(jsonFormat.has(after, PLACE)).toBe(true);
    expect(jsonFormat.merge(after, PLACE, FIELDS)).toBe(after);
    expect(jsonFormat.remove(after, PLACE)).toBe(before);
  });

  it('gets its table of servers where it has none', () => {
    const { mcpServers, ...rest } = large({});
    const before = JSON.stringify(rest, null, indent);
    const after = jsonFormat.merge(before, PLACE, FIELDS);
    expect(JSON.parse(after)).toEqual({ ...rest, mcpServers: { 'keypool-mcp': FIELDS } });
    expect(mcpServers).toEqual({});
  });
});
