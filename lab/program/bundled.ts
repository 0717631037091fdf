/** A source and all that it imports as one file, which plain node starts quickly and runs as users do. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

export interface BundledProgram {
  readonly file: string;
  remove(): void;
}

export async function bundleProgram(source: URL): Promise<BundledProgram> {
  const folder = mkdtempSync(join(tmpdir(), 'keypool-bundled-'));
  const file = join(folder, 'program.mjs');
  const bundle = await rolldown({ input: fileURLToPath(source), platform: 'node' });
  await bundle.write({ file, format: 'esm', codeSplitting: false });
  await bundle.close();
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
