import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { childEnvironment } from '../../../lab/program/program.ts';
import manifest from '../../../package.json' with { type: 'json' };
import { BUNDLE_FOLDER, mcpbManifest } from '../../../src/packaging/forms.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keypool-test-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function filesBelow(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(path, name)).isFile())
    .map((name) => name.replaceAll('\\', '/'))
    .sort();
}

/** What the program says of itself at `initialize`, started as a client would start it. */
function nameOfServer(command: string, args: readonly string[], cwd: string, env = {}): unknown {
  const hello = {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'test', version: '1' },
    },
  };
  const { stdout } = spawnSync(command, args, {
    cwd,
    input: `${JSON.stringify(hello)}\n`,
    env: childEnvironment({ HOME: folder, ...env }),
    encoding: 'utf8',
  });
  return JSON.parse(stdout.split('\n')[0] ?? '').result.serverInfo.name;
}

/** No file that is handed out may hold a key, or the path of the machine that built it. */
function expectClean(path: string): void {
  for (const name of filesBelow(path)) {
    const text = readFileSync(join(path, name), 'latin1');
    expect(text.includes(ROOT), `${name} names the folder it was built in`).toBe(false);
    expect(text.match(/\b(?:sk|pplx)-[A-Za-z0-9]{20,}/g), `${name} holds a key`).toBeNull();
  }
}

describe('mcp.json', () => {
  it('starts the server from a checkout as it stands', () => {
    const { mcpServers } = JSON.parse(readFileSync(join(ROOT, 'mcp.json'), 'utf8'));
    for (const { command, args } of Object.values<{ command: string; args: string[] }>(
      mcpServers,
    )) {
      expect(nameOfServer(command, args, ROOT)).toBe('keypool-mcp');
    }
  });
});

describe('the npm package', () => {
  it('reads neither zod nor an SDK before its first answer', () => {
    const dist = join(ROOT, 'dist');
    const read = readdirSync(dist).filter((name) => /^(?:cli|main|start|serve)[-.]/.test(name));
    expect(read.length).toBeGreaterThanOrEqual(3);
    for (const name of read) {
      expect(readFileSync(join(dist, name), 'utf8'), name).not.toMatch(/_zod|JSONRPCMessageSchema/);
    }
  });

  it('holds the whole program, its papers, and nothing else', () => {
    const out = execFileSync(
      'npm',
      ['pack', '--ignore-scripts', '--json', '--pack-destination', folder],
      { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    );
    const [packed] = Object.values<{ filename: string; files: Array<{ path: string }> }>(
      JSON.parse(out),
    );
    const expected = [
      'LICENSE',
      'README.md',
      'package.json',
      'mcp.json',
      'server.json',
      ...filesBelow(join(ROOT, 'dist')).map((name) => `dist/${name}`),
    ];
    expect(packed?.files.map(({ path }) => path).sort()).toEqual(expected.sort());

    execFileSync('tar', ['-xzf', join(folder, packed?.filename ?? ''), '-C', folder]);
    expectClean(join(folder, 'package'));
  });

  it('carries the licence of every package that went into it', () => {
    const texts = readFileSync(join(folder, 'package', 'dist', 'LICENSES.txt'), 'utf8');
    const named = [...texts.matchAll(/^Name: (.+)$/gm)].map(([, name]) => name);
    expect(named).toEqual(
      expect.arrayContaining([
        '@modelcontextprotocol/sdk',
        '@modelcontextprotocol/server',
        'dotenv',
        'hono',
        'openai',
        'opossum',
        'prom-client',
        'undici',
        'zod',
      ]),
    );
    // Its package brings no text of its own; it is under the Apache License, which stands here.
    expect(texts.match(/^License Text:$/gm)?.length).toBe(named.length - 1);
    expect(texts).toMatch(/^Name: @humanwhocodes\/momoa\nVersion: .+\nLicense: Apache-2\.0$/m);
    expect(texts).toContain('Apache License');
  });

  it('asks npm for nothing more', () => {
    const { dependencies = {} } = JSON.parse(
      readFileSync(join(folder, 'package', 'package.json'), 'utf8'),
    );
    expect(dependencies).toEqual({});
  });

  it('runs without any other package beside it', () => {
    const program = join(folder, 'package', manifest.bin['keypool-mcp']);
    expect(readFileSync(program, 'utf8').startsWith('#!/usr/bin/env node\n')).toBe(true);
    expect(nameOfServer(process.execPath, [program], folder)).toBe('keypool-mcp');
    const help = spawnSync(process.execPath, [program, 'batch', '--help'], { encoding: 'utf8' });
    expect(help.stdout).toContain('Usage: keypool-mcp batch');
  });
});

describe('the MCPB bundle', () => {
  it('is accepted by the format’s own tool, and starts from where it is unpacked', () => {
    const tsx = join(ROOT, 'node_modules', 'tsx', 'dist', 'cli.mjs');
    const mcpb = join(ROOT, 'node_modules', '@anthropic-ai', 'mcpb', 'dist', 'cli', 'cli.js');
    const out = join(folder, 'bundle');
    execFileSync(process.execPath, [tsx, 'src/packaging/pack-mcpb.ts', '--out', out], {
      cwd: ROOT,
      stdio: 'ignore',
    });
    const unpacked = join(folder, 'unpacked');
    execFileSync(process.execPath, [mcpb, 'unpack', join(out, 'keypool-mcp.mcpb'), unpacked], {
      stdio: 'ignore',
    });
    expectClean(unpacked);
    const written = JSON.parse(readFileSync(join(unpacked, 'manifest.json'), 'utf8'));
    expect(written).toEqual(mcpbManifest());
    const { command, args, env } = written.server.mcp_config;
    const started = args.map((part: string) => part.replace(BUNDLE_FOLDER, () => unpacked));
    // A host leaves the options open that nobody filled in.
    expect(nameOfServer(command, started, folder, env)).toBe('keypool-mcp');
  });
});
