/** npm run forms: writes every generated form into the repository. */

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { clientsPage } from './clients-page.ts';
import { jsonText, mcpJson, serverJson } from './forms.ts';

/** Path in the repository → its text. */
export function generatedFiles(): Readonly<Record<string, string>> {
  return {
    'mcp.json': jsonText(mcpJson()),
    'server.json': jsonText(serverJson()),
    'docs/clients.md': clientsPage(),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of Object.entries(generatedFiles())) {
    writeFileSync(new URL(`../../${path}`, import.meta.url), text);
    process.stdout.write(`${path}\n`);
  }
}
