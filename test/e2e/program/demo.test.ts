import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

const CLI = resolve('dist/cli.js');

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let temp: string;
beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), 'keypool-demo-test-'));
});
afterEach(() => {
  rmSync(temp, { recursive: true, force: true });
});

/** Runs the demo with a temporary folder of its own and nothing else in the environment. */
function runDemo(args: readonly string[], endAfterMs?: number): Promise<Finished> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [CLI, 'demo', ...args], {
      env: { PATH: process.env.PATH ?? '', TMPDIR: temp },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
      if (endAfterMs !== undefined) setTimeout(() => child.kill('SIGINT'), endAfterMs);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.once('error', fail);
    child.once('close', (code) => done({ code, stdout, stderr }));
  });
}

it('observes everything it claims, says that the upstreams are simulated, and leaves nothing', async () => {
  const { code, stdout, stderr } = await runDemo([]);
  expect(stderr).toBe('');
  expect(stdout).toMatch(/simulated/);
  expect(stdout).toMatch(/DEEPSEEK_API_KEY_3/);
  expect(stdout).not.toMatch(/✗/);
  expect(stdout).not.toContain('\u001b[');
  expect(code).toBe(0);
  expect(existsSync(temp) ? readdirSync(temp) : []).toEqual([]);
});

it('prints a report for programs with --json', async () => {
  const { code, stdout } = await runDemo(['--json']);
  const report = JSON.parse(stdout);
  expect(report).toMatchObject({ simulated: true, ok: true });
  expect(report.claims.length).toBeGreaterThan(5);
  expect(
    new Set(report.calls.slice(0, 4).map((call: { keyName: string }) => call.keyName)).size,
  ).toBe(4);
  expect(code).toBe(0);
});

// While commands fill the store, while the server starts, while it serves.
it.each([50, 100, 300, 700, 1_500, 2_500])(
  'cleans up when it is interrupted after %i ms',
  async (ms) => {
    const { code } = await runDemo([], ms);
    expect(code).toBe(130);
    expect(readdirSync(temp)).toEqual([]);
  },
);
