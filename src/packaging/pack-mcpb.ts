/** npm run mcpb: the built program as an MCPB bundle, validated by the format's own tool. */

import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { jsonText, mcpbManifest, mcpbPackageJson } from './forms.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TOOL = join(ROOT, 'node_modules', '@anthropic-ai', 'mcpb', 'dist', 'cli', 'cli.js');

const { values } = parseArgs({
  options: { out: { type: 'string', default: join(ROOT, 'build') } },
});
const folder = join(values.out, 'mcpb');
const bundle = join(values.out, 'keypool-mcp.mcpb');

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
for (const name of ['README.md', 'LICENSE']) copyFileSync(join(ROOT, name), join(folder, name));
writeFileSync(join(folder, 'manifest.json'), jsonText(mcpbManifest()));
writeFileSync(join(folder, 'package.json'), jsonText(mcpbPackageJson()));

const mcpb = (...args: string[]): void => {
  execFileSync(process.execPath, [TOOL, ...args], { stdio: 'inherit' });
};
mcpb('validate', join(folder, 'manifest.json'));
mcpb('pack', folder, bundle);
