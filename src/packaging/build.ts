/** `npm run build`: the program and the dashboard's page, bundled into dist/. */

import { copyFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { build, type Plugin } from 'rolldown';

const PAGE = 'src/http/page';
const DASHBOARD = 'dist/dashboard';

/** Required, because its types describe an ES module and it is none. */
const license: (options: { thirdParty: { output: string } }) => Plugin = createRequire(
  import.meta.url,
)('rollup-plugin-license');

/** The licence texts of everything that went into a bundle, as their authors ask. */
const licencesTo = (output: string): Plugin => license({ thirdParty: { output } });

await rm('dist', { recursive: true, force: true });
await build({
  input: 'src/cli.ts',
  platform: 'node',
  logLevel: 'warn',
  plugins: [licencesTo('dist/LICENSES.txt')],
  output: {
    dir: 'dist',
    format: 'esm',
    minify: true,
    // What every start reads stands in one file: each more costs a client half a millisecond.
    codeSplitting: {
      groups: [{ name: 'start', test: /src\/commands\/(serve\.ts|command-line\/)/ }],
    },
  },
});
await build({
  input: `${PAGE}/page.ts`,
  platform: 'browser',
  logLevel: 'warn',
  plugins: [licencesTo(join(DASHBOARD, 'LICENSES.txt'))],
  output: { dir: DASHBOARD, format: 'esm', minify: true },
});
for (const file of ['page.html', 'page.css', 'money/money.css', 'icon.svg']) {
  await copyFile(join(PAGE, file), join(DASHBOARD, basename(file)));
}
await copyFile('node_modules/uplot/dist/uPlot.min.css', join(DASHBOARD, 'charts.css'));
