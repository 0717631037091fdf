/**
 * The official Inspector as a client of the built program: in each era and on each transport it
 * lists the tools, whose schemas it judges, and calls one.
 */

import { runTool } from './npm-tool.ts';
import { CLI } from './targets.ts';

const INSPECTOR = '@modelcontextprotocol/inspector@2.12.0';
const ERAS = ['legacy', 'auto', 'modern'] as const;

const WORK = [
  ['--method', 'tools/list', '--strict'],
  [
    ...['--method', 'tools/call', '--tool-name', 'perplexity_search'],
    ...['--tool-arg', 'query=node'],
  ],
] as const;

export interface InspectorOptions {
  /** The running server's. */
  readonly url: URL;
  readonly token: string;
  /** For the program over stdio. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** @returns what did not go well, in words */
export async function runInspector(options: InspectorOptions): Promise<string[]> {
  const variables = Object.entries(options.env).flatMap(([name, value]) => [
    '-e',
    `${name}=${value}`,
  ]);
  const targets = {
    stdio: [...variables, '--', process.execPath, CLI],
    HTTP: [
      ...['--transport', 'http', '--server-url', new URL('/mcp', options.url).href],
      ...['--header', `Authorization: Bearer ${options.token}`],
    ],
  };
  const unexpected: string[] = [];
  for (const [medium, target] of Object.entries(targets)) {
    for (const era of ERAS) {
      for (const work of WORK) {
        const { code, stderr } = await runTool({
          package: INSPECTOR,
          command: ['mcp-inspector', '--cli', '--quiet', '--protocol-era', era, ...work, ...target],
          cwd: options.cwd,
          isQuiet: true,
        });
        const what = `Inspector, ${medium}, era ${era}, ${work[1]}`;
        console.log(`${code === 0 ? '✓' : '✗'} ${what}`);
        if (code !== 0) unexpected.push(`${what}: exit code ${code}\n${stderr}`);
      }
    }
  }
  return unexpected;
}
