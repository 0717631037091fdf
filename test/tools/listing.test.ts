import { describe, expect, it } from 'vitest';
import { describeTool } from '../../src/tools/describe.ts';
import { TOOLS } from '../../src/tools/index.ts';
import { LISTED_TOOLS } from '../../src/tools/listed.ts';

describe('the list of tools', () => {
  it.each(TOOLS)('is committed as its schemas say: $name', async (tool) => {
    const file = `../../src/tools/listing/${tool.name.replaceAll('_', '-')}.json`;
    const text = `${JSON.stringify(describeTool(tool), null, 2)}\n`;
    await expect(text).toMatchFileSnapshot(file);
  });

  it('lists every tool once, in order', () => {
    expect(LISTED_TOOLS.map((tool) => tool.name)).toEqual(TOOLS.map((tool) => tool.name));
  });

  it('costs at most 1,500 tokens', () => {
    expect(JSON.stringify(LISTED_TOOLS).length / 4).toBeLessThanOrEqual(1_500);
  });
});
