/**
 * `npm run release:notes -- v1.2.3 FILE`: the changelog's words for one release, refused unless
 * the tag, package.json, server.json and the changelog name the same version.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import manifest from '../../package.json' with { type: 'json' };
import { jsonText, serverJson } from './forms.ts';

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/**
 * The text below `## [VERSION] - DATE`, up to the next release or the links at the end (Keep a
 * Changelog 1.1.0).
 *
 * @throws Error when the changelog has no such release, no date for it, or says nothing of it
 */
export function notesOf(changelog: string, version: string): string {
  const lines = changelog.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`## [${version}]`));
  if (start === -1) throw new Error(`CHANGELOG.md has no release ${version}`);
  if (!/ - \d{4}-\d{2}-\d{2}$/.test(lines[start] ?? '')) {
    throw new Error(`CHANGELOG.md gives no date for ${version}`);
  }
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => line.startsWith('## ') || /^\[[^\]]+\]: /.test(line));
  const notes = rest.slice(0, end === -1 ? undefined : end).join('\n');
  if (notes.trim() === '') throw new Error(`CHANGELOG.md says nothing about ${version}`);
  return `${notes.trim()}\n`;
}

/** @throws Error when something in the repository is of another version than the tag */
export function releaseNotes(tag: string): string {
  if (tag !== `v${manifest.version}`) {
    throw new Error(`the tag is ${tag}, package.json says ${manifest.version}`);
  }
  if (read('server.json') !== jsonText(serverJson())) {
    throw new Error('server.json is stale: run npm run forms');
  }
  return notesOf(read('CHANGELOG.md'), manifest.version);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [tag = '', out = '/dev/stdout'] = process.argv.slice(2);
  writeFileSync(out, releaseNotes(tag));
}
