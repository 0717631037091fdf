import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import manifest from '../../package.json' with { type: 'json' };
import { notesOf, releaseNotes } from '../../src/packaging/release-notes.ts';

const FOLDER = new URL('../../.github/workflows/', import.meta.url);
const FILES = readdirSync(FOLDER);

const Step = z.strictObject({
  uses: z.string().optional(),
  run: z.string().optional(),
  if: z.string().optional(),
  name: z.string().optional(),
  with: z.record(z.string(), z.unknown()).optional(),
  env: z.record(z.string(), z.string()).optional(),
});

const Workflow = z.strictObject({
  name: z.string(),
  on: z.record(z.string(), z.unknown()),
  permissions: z.strictObject({ contents: z.literal('read') }),
  concurrency: z.strictObject({ group: z.string(), 'cancel-in-progress': z.boolean() }),
  jobs: z.record(
    z.string(),
    z.strictObject({
      name: z.string(),
      needs: z.string().optional(),
      'runs-on': z.string(),
      'timeout-minutes': z.number().max(120),
      permissions: z.record(z.string(), z.enum(['read', 'write'])).optional(),
      strategy: z.record(z.string(), z.unknown()).optional(),
      steps: z.array(Step).min(1),
    }),
  ),
});

function stepsOf(file: string) {
  const workflow = Workflow.parse(parse(readFileSync(new URL(file, FOLDER), 'utf8')));
  return Object.values(workflow.jobs).flatMap(({ steps }) => steps);
}

describe.each(FILES)('the workflow %s', (file) => {
  it('is one that GitHub reads, with no right but reading beyond what a job asks for', () => {
    expect(stepsOf(file).length).toBeGreaterThan(0);
  });

  it('pins every action to a commit', () => {
    const used = stepsOf(file).flatMap(({ uses }) => uses ?? []);
    expect(used.filter((action) => !/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/.test(action))).toEqual([]);
  });

  it('leaves no credentials behind for later steps', () => {
    const checkouts = stepsOf(file).filter(({ uses }) => uses?.startsWith('actions/checkout@'));
    for (const { with: options } of checkouts) {
      expect(options).toMatchObject({ 'persist-credentials': false });
    }
  });

  it('runs only scripts that exist', () => {
    const commands = stepsOf(file).flatMap(({ run }) => run ?? []);
    const named = commands.flatMap((text) => [...text.matchAll(/npm run (?:-s )?([\w:]+)/g)]);
    const scripts = Object.keys(manifest.scripts);
    expect(named.map(([, name]) => name).filter((name) => !scripts.includes(name ?? ''))).toEqual(
      [],
    );
  });
});

describe('the notes of a release', () => {
  it('are the changelog’s words for the version that is tagged', () => {
    expect(releaseNotes(`v${manifest.version}`)).toMatch(/^### /);
  });

  it('end where the release before begins', () => {
    const changelog =
      '## [1.1.0] - 2027-01-02\n\n### Fixed\n\n- a\n\n## [1.0.0] - 2027-01-01\n\n- b\n';
    expect(notesOf(changelog, '1.1.0')).toBe('### Fixed\n\n- a\n');
  });

  it.each([
    ['another version than the package', () => releaseNotes('v99.0.0')],
    [
      'a release that is not in the changelog',
      () => notesOf('## [1.0.0] - 2027-01-01\n\n- b\n', '1.1.0'),
    ],
    ['a release without a date', () => notesOf('## [1.1.0]\n\n- b\n', '1.1.0')],
    [
      'a release about which nothing is said',
      () => notesOf('## [1.1.0] - 2027-01-01\n\n', '1.1.0'),
    ],
  ])('are refused for %s', (_, ask) => {
    expect(ask).toThrow();
  });
});
