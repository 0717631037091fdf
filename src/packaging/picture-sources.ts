/** What the README's pictures show, as a digest: a test fails when it is newer than they are. */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../../', import.meta.url);

/** Where the digest of the pictures' day lies. */
export const SOURCES_FILE = fileURLToPath(new URL('docs/pictures/sources.txt', ROOT));

/** The page as people see it, and the demo's lines. */
const SHOWN = ['src/http/page', 'src/commands/demo'];

/** A line a file: its path and the SHA-256 of its text. */
export function pictureSources(): string {
  const files = SHOWN.flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, ROOT), { recursive: true, encoding: 'utf8' })
      .filter((name) => extname(name) !== '')
      .map((name) => `${folder}/${name.replaceAll('\\', '/')}`),
  );
  const lines = files.sort().map((path) => {
    const digest = createHash('sha256').update(readFileSync(new URL(path, ROOT)));
    return `${path} ${digest.digest('hex')}\n`;
  });
  return lines.join('');
}
