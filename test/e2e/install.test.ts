import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse as parseToml } from 'smol-toml';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { childEnvironment, PROGRAM, run } from '../../lab/program.ts';
import { CLIENTS, clientFile } from '../../src/clients/clients.ts';

let home: string;
let env: Record<string, string>;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'keypool-test-'));
  env = { HOME: home };
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

function fileOf(id: string): string {
  const client = CLIENTS.find((candidate) => candidate.id === id);
  if (client === undefined) throw new Error(`no client ${id}`);
  return clientFile(client, { platform: 'linux', home, env: {}, exists: existsSync });
}

// biome-ignore lint/suspicious/noExplicitAny: files of seven clients are looked into freely
function parsed(id: string, text: string): any {
  return id === 'codex' ? parseToml(text) : JSON.parse(text);
}

function backups(file: string): string[] {
  return readdirSync(dirname(file)).filter((name) => name.endsWith('.bak'));
}

describe.each(CLIENTS)('install $id', ({ id, root }) => {
  it('makes the file, starts a server that answers, and is taken back', async () => {
    const { code, stdout } = await run(['install', id], env);
    expect(code).toBe(0);
    expect(stdout).toContain(fileOf(id));
    const entry = parsed(id, readFileSync(fileOf(id), 'utf8'))[root]['keypool-mcp'];
    expect(entry.command).toBe(process.execPath);
    expect(entry.args).toEqual([PROGRAM, 'serve']);

    const hello = {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: {
        protocolVersion: '2025-06-18',
        capabilities: {},
        clientInfo: { name: 'test', version: '1' },
      },
    };
    const server = spawnSync(entry.command, entry.args, {
      input: `${JSON.stringify(hello)}\n`,
      env: childEnvironment(env),
      cwd: '/',
      encoding: 'utf8',
    });
    expect(JSON.parse(server.stdout.split('\n')[0] ?? '').result.serverInfo.name).toBe(
      'keypool-mcp',
    );

    expect((await run(['uninstall', id], env)).code).toBe(0);
    expect(parsed(id, readFileSync(fileOf(id), 'utf8'))).toEqual({});
  });

  it('says unchanged the second time and makes no second copy', async () => {
    mkdirSync(dirname(fileOf(id)), { recursive: true });
    writeFileSync(fileOf(id), id === 'codex' ? 'model = "x" # mine\n' : '{\n  "a": 1\n}\n');
    await run(['install', id], env);
    const text = readFileSync(fileOf(id), 'utf8');
    expect(backups(fileOf(id))).toHaveLength(1);
    const again = await run(['install', id], env);
    expect(again).toMatchObject({ code: 0 });
    expect(again.stdout).toContain('unchanged');
    expect(readFileSync(fileOf(id), 'utf8')).toBe(text);
    expect(backups(fileOf(id))).toHaveLength(1);
  });

  it('refuses a malformed file and does not touch it', async () => {
    mkdirSync(dirname(fileOf(id)), { recursive: true });
    writeFileSync(fileOf(id), '{"mcpServers": ');
    for (const verb of ['install', 'uninstall']) {
      const { code, stderr } = await run([verb, id], env);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^keypool-mcp: error: .* is not valid .*; nothing was changed\n/);
    }
    expect(readFileSync(fileOf(id), 'utf8')).toBe('{"mcpServers": ');
    expect(backups(fileOf(id))).toEqual([]);
  });

  it('prints the entry alone on stdout with --print, and writes nothing', async () => {
    const { code, stdout } = await run(['install', id, '--print'], env);
    expect(code).toBe(0);
    expect(parsed(id, stdout)[root]['keypool-mcp'].args).toEqual([PROGRAM, 'serve']);
    expect(readdirSync(home)).toEqual([]);
  });
});

describe('install', () => {
  it('passes the settings on as absolute paths and writes no key', async () => {
    const secrets = {
      MASTER_ENCRYPTION_KEY: 'a fake master passphrase for a test',
      DEEPSEEK_API_KEY: 'sk-test-1234567890abcdef',
    };
    const args = ['install', 'codex', '--home', 'keys', '--environment', 'staging'];
    const { code, stderr } = await run(args, { ...env, ...secrets }, { cwd: home });
    expect(code).toBe(0);
    const text = readFileSync(fileOf('codex'), 'utf8');
    const entry = parsed('codex', text).mcp_servers['keypool-mcp'];
    expect(entry.args).toEqual([
      PROGRAM,
      'serve',
      '--home',
      join(home, 'keys'),
      '--environment',
      'staging',
    ]);
    expect(entry.tool_timeout_sec).toBe(200);
    expect(stderr).toContain('keypool-mcp keys add');
    for (const secret of Object.values(secrets)) expect(text + stderr).not.toContain(secret);
  });

  it('takes KEYPOOL_HOME along, which a desktop program would not see', async () => {
    await run(['install', 'cursor'], { ...env, KEYPOOL_HOME: join(home, 'pool') });
    expect(parsed('cursor', readFileSync(fileOf('cursor'), 'utf8')).mcpServers).toMatchObject({
      'keypool-mcp': { args: [PROGRAM, 'serve', '--home', join(home, 'pool')] },
    });
  });

  it('ends with 2 for a client it does not know, without repeating the word', async () => {
    const { code, stderr } = await run(['install', 'sk-test-not-repeated'], env);
    expect(code).toBe(2);
    expect(stderr).toContain('claude-desktop');
    expect(stderr).not.toContain('not-repeated');
  });

  it('finds nothing to take out and says so', async () => {
    const { code, stdout } = await run(['uninstall', 'zed'], env);
    expect(code).toBe(0);
    expect(stdout).toContain('not installed');
    expect(readdirSync(home)).toEqual([]);
  });

  it('never looks at the home of whoever runs the tests', () => {
    expect(home).not.toBe(homedir());
  });
});
