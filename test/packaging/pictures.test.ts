import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pictureSources, SOURCES_FILE } from '../../src/packaging/picture-sources.ts';

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

describe('the pictures', () => {
  it('are no older than the page and the demo that they show; npm run pictures takes new ones', () => {
    expect(readFileSync(SOURCES_FILE, 'utf8')).toBe(pictureSources());
  });

  it('that the README shows are there', () => {
    const shown = [...README.matchAll(/(?:src(?:set)?=")(docs\/[^"]+\.png)"/g)].map(
      ([, path]) => path,
    );
    expect(shown.length).toBeGreaterThanOrEqual(3);
    for (const path of shown)
      expect(existsSync(new URL(`../../${path}`, import.meta.url))).toBe(true);
  });
});
