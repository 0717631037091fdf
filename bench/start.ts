/**
 * From spawn to the first answers, beside bare node in the same run.
 *
 *   npm run bench:start [-- --node PATH] [--rounds N]
 *
 * The environment holds PATH and HOME alone: NODE_EXTRA_CA_CERTS by itself doubles node's own
 * start. HOME is a fresh folder with a v2 store of twenty keys, so that opening it would show.
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));

const { values } = parseArgs({
  options: {
    node: { type: 'string', default: process.execPath },
    rounds: { type: 'string', default: '15' },
  },
});
const { node } = values;
const rounds = Number(values.rounds);

const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const INITIALIZE = {
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'bench', version: '0' },
  },
};

interface Round {
  readonly ms: number;
  /** Peak resident memory; null where /proc does not tell. */
  readonly peakKb: number | null;
}

function peakOf(child: ChildProcess): number | null {
  try {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN);
  } catch {
    return null;
  }
}

/** Sends all requests at once and stops the clock at the answer to the last. */
function serve(env: NodeJS.ProcessEnv, requests: readonly object[]): Promise<Round> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const child = spawn(node, [CLI], { env, stdio: ['pipe', 'pipe', 'ignore'] });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      if (!text.includes(`"id":${requests.length - 1}`) || !text.endsWith('\n')) return;
      const round = { ms: performance.now() - startedAt, peakKb: peakOf(child) };
      child.stdin.end();
      child.once('exit', () => resolve(round));
    });
    child.once('error', reject);
    requests.forEach((request, id) => {
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...request })}\n`);
    });
  });
}

function bare(env: NodeJS.ProcessEnv): Promise<Round> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const script = "require('fs').writeSync(1, require('fs').readFileSync('/proc/self/status'))";
    const isLinux = process.platform === 'linux';
    const child = spawn(node, ['-e', '0'], { env, stdio: 'ignore' });
    child.once('error', reject);
    child.once('exit', () => {
      const ms = performance.now() - startedAt;
      const status = isLinux ? execFileSync(node, ['-e', script], { env }).toString() : '';
      resolve({ ms, peakKb: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) });
    });
  });
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function prepareHome(env: NodeJS.ProcessEnv): void {
  execFileSync(node, [CLI, 'init'], { env, stdio: 'ignore' });
  const keys = Array.from({ length: 20 }, (_, index) => {
    const name = index === 0 ? 'DEEPSEEK_API_KEY' : `DEEPSEEK_API_KEY_${index + 1}`;
    return `${name}=sk-test-${'0'.repeat(20)}${String(index).padStart(6, '0')}`;
  });
  const file = join(env.HOME ?? '', 'keys.txt');
  writeFileSync(file, keys.join('\n'));
  execFileSync(node, [CLI, 'keys', 'import', file], { env, stdio: 'ignore' });
}

const CASES: Readonly<Record<string, readonly object[]>> = {
  initialize: [INITIALIZE],
  'server/discover': [{ method: 'server/discover', params: { _meta: ENVELOPE } }],
  'initialize, tools/list': [INITIALIZE, { method: 'tools/list' }],
};

async function main(): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'keypool-bench-'));
  const env = { PATH: process.env.PATH, HOME: home };
  prepareHome(env);
  const names = ['node -e 0', ...Object.keys(CASES)];
  const results = new Map<string, Round[]>(names.map((name) => [name, []]));
  // Turn by turn, so that a busy moment of the machine hits all alike.
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const requests = CASES[name];
      const result = requests === undefined ? await bare(env) : await serve(env, requests);
      if (round > 0) results.get(name)?.push(result);
    }
  }
  rmSync(home, { recursive: true, force: true });
  const base = results.get('node -e 0') ?? [];
  const baseMs = median(base.map((round) => round.ms));
  const baseKb = median(base.map((round) => round.peakKb ?? Number.NaN));
  console.log(
    `${node} ${execFileSync(node, ['--version']).toString().trim()}, median of ${rounds}`,
  );
  for (const [name, all] of results) {
    const ms = median(all.map((round) => round.ms));
    const kb = median(all.map((round) => round.peakKb ?? Number.NaN));
    const row = [
      name.padEnd(24),
      `${ms.toFixed(1).padStart(7)} ms`,
      `${(ms / baseMs).toFixed(2).padStart(5)} ×`,
      `${(kb / 1024).toFixed(0).padStart(5)} MB`,
      `${(kb / baseKb).toFixed(2).padStart(5)} ×`,
    ];
    console.log(row.join('  '));
  }
}

await main();
