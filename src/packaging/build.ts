/** `npm run build`: the program and the dashboard's page, bundled into dist/. */

import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'rolldown';

const PAGE = 'src/http/page';
const DASHBOARD = 'dist/dashboard';

await rm('dist', { recursive: true, force: true });
await build({
  input: 'src/cli.ts',
  platform: 'node',
  logLevel: 'warn',
  output: { dir: 'dist', format: 'esm', minify: true },
});
await build({
  input: `${PAGE}/page.ts`,
  platform: 'browser',
  logLevel: 'warn',
  output: { dir: DASHBOARD, format: 'esm', minify: true },
});
for (const file of ['page.html', 'page.css', 'icon.svg']) {
  await copyFile(join(PAGE, file), join(DASHBOARD, file));
}
await copyFile('node_modules/uplot/dist/uPlot.min.css', join(DASHBOARD, 'charts.css'));
