/** `npm run bench:money`: what keeping accounts adds to a call, as it is built. */

import { execFileSync } from 'node:child_process';
import { bundleProgram } from '../../lab/program/bundled.ts';

const program = await bundleProgram(new URL('../../lab/usage/accounts-cost.ts', import.meta.url));
execFileSync(process.execPath, [program.file], { stdio: 'inherit' });
program.remove();
