/** The dashboard's static files. They hold no data: a token is needed for everything they show. */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

const TYPES: Readonly<Record<string, string>> = {
  'page.html': 'text/html; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
  'money.css': 'text/css; charset=utf-8',
  'charts.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
};

/** Path → file. A closed list: no path of a request ever reaches the file system. */
const PATHS: ReadonlyMap<string, string> = new Map([
  ['/dashboard', 'page.html'],
  ['/dashboard/', 'page.html'],
  ...Object.keys(TYPES)
    .filter((name) => name !== 'page.html')
    .map((name): [string, string] => [`/dashboard/${name}`, name]),
]);

export const PAGE_PATHS: readonly string[] = [...PATHS.keys()];

export interface PageFile {
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Beside the bundle; beside the sources, where the page is built into `dist`. */
export function builtPageFolder(): URL {
  const built = new URL('./dashboard/', import.meta.url);
  return existsSync(built) ? built : new URL('../../dist/dashboard/', import.meta.url);
}

/** @returns path → file; empty where the page was not built */
export async function loadPage(folder: URL): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>();
  for (const [path, name] of PATHS) {
    try {
      const bytes = new Uint8Array(await readFile(new URL(name, folder)));
      files.set(path, { type: TYPES[name] ?? 'application/octet-stream', bytes });
    } catch {
      // A server without its page still serves; /dashboard says what is missing.
    }
  }
  return files;
}
