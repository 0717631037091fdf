/** Commands of npm packages that need Node 22: on an older Linux, run with npm's own copy of it. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface ToolOptions {
  readonly package: string;
  /** The command's name, then its arguments. */
  readonly command: readonly string[];
  readonly cwd: string;
  /** What it says is kept, instead of shown. */
  readonly isQuiet?: boolean;
}

export interface ToolResult {
  readonly code: number;
  readonly stderr: string;
}

export async function runTool(options: ToolOptions): Promise<ToolResult> {
  const isOld = Number(process.versions.node.split('.')[0]) < 22;
  const packages = [options.package, ...(isOld ? [`node-linux-${process.arch}@22`] : [])];
  const flags = ['--yes', ...packages.map((name) => `--package=${name}`)];
  const child = spawn('npm', ['exec', ...flags, '--', ...options.command], {
    cwd: options.cwd,
    stdio:
      options.isQuiet === true ? ['ignore', 'ignore', 'pipe'] : ['ignore', 'inherit', 'inherit'],
  });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const [code] = await once(child, 'close');
  return { code: typeof code === 'number' ? code : 1, stderr };
}
