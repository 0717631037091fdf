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
import { parse as parseYaml } from 'yaml';
import { childEnvironment, PROGRAM, run } from '../../../lab/program/program.ts';
import { clientFile } from '../../../src/clients/client-place.ts';
import { CLIENTS } from '../../../src/clients/client-rows.ts';

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
  return clientFile(client, {
    platform: 'linux',
    home,
    env: {},
    exists: existsSync,
    read: () => null,
  });
}

// biome-ignore lint/suspicious/noExplicitAny: files of all clients are looked into freely
function parsed(id: string, text: string): any {
  if (id === 'goose') return parseYaml(text);
  return id === 'codex' ? parseToml(text) : JSON.parse(text);
}

/** What an entry starts, in whichever form the client wants it. */
// biome-ignore lint/suspicious/noExplicitAny: entries of all clients are looked into freely
function startedBy(entry: any): string[] {
  if (Array.isArray(entry.command)) return entry.command;
  return [entry.command ?? entry.cmd, ...entry.args];
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
    const [command, ...args] = startedBy(entry);
    expect([command, ...args]).toEqual([process.execPath, PROGRAM, 'serve']);

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
    const server = spawnSync(command ?? '', args, {
      input: `${JSON.stringify(hello)}\n`,
      env: childEnvironment(env),
      cwd: '/',
      encoding: 'utf8',
    });
    expect(JSON.parse(server.stdout.split('\n')[0] ?? '').result.serverInfo.name).toBe(
      'keypool-mcp',
    );

    expect((await run(['uninstall', id], env)).code).toBe(0);
    expect(parsed(id, readFileSync(fileOf(id), 'utf8')) ?? {}).toEqual({});
  });

  it('says unchanged the second time and makes no second copy', async () => {
    mkdirSync(dirname(fileOf(id)), { recursive: true });
    const texts: Record<string, string> = { codex: 'model = "x" # mine\n', goose: 'a: 1 # mine\n' };
    writeFileSync(fileOf(id), texts[id] ?? '{\n  "a": 1\n}\n');
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
    expect(startedBy(parsed(id, stdout)[root]['keypool-mcp'])).toContain(PROGRAM);
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

  it('keeps an empty table of servers that was there before, and the missing last line end', async () => {
    for (const before of ['{\n  "mcpServers": {}\n}', '{"mcpServers": {}}\n', '{"a": 1}']) {
      rmSync(dirname(fileOf('cursor')), { recursive: true, force: true });
      mkdirSync(dirname(fileOf('cursor')), { recursive: true });
      writeFileSync(fileOf('cursor'), before);
      await run(['install', 'cursor'], env);
      await run(['uninstall', 'cursor'], env);
      expect(readFileSync(fileOf('cursor'), 'utf8')).toBe(before);
    }
  });

  it('writes a file of the project with --project, which holds no path of this machine', async () => {
    const { code, stdout } = await run(['install', 'kiro', '--project'], env, { cwd: home });
    expect(code).toBe(0);
    const file = join(home, '.kiro', 'settings', 'mcp.json');
    expect(stdout).toContain('.kiro');
    const text = readFileSync(file, 'utf8');
    expect(JSON.parse(text).mcpServers['keypool-mcp']).toMatchObject({
      command: 'npx',
      args: ['-y', 'keypool-mcp', 'serve'],
    });
    expect(text).not.toContain(home);
    expect((await run(['install', 'lmstudio', '--project'], env, { cwd: home })).code).toBe(2);
  });

  it('leaves a file of another version of opencode alone', async () => {
    mkdirSync(dirname(fileOf('opencode')), { recursive: true });
    const text = '{"mcp": {"servers": {"x": {"type": "local"}}}}\n';
    writeFileSync(fileOf('opencode'), text);
    const { code, stderr } = await run(['install', 'opencode'], env);
    expect([code, readFileSync(fileOf('opencode'), 'utf8')]).toEqual([1, text]);
    expect(stderr).toContain('--print');
  });

  it('chooses the file that the installed client reads, and says which', async () => {
    const old = join(home, '.codeium', 'windsurf');
    mkdirSync(old, { recursive: true });
    expect((await run(['install', 'windsurf'], env)).stdout).toContain(old);
    const devin = join(home, '.config', 'devin');
    mkdirSync(devin, { recursive: true });
    expect((await run(['install', 'windsurf'], env)).stdout).toContain(devin);
    writeFileSync(join(home, '.lmstudio-home-pointer'), join(home, 'lm'));
    expect((await run(['install', 'lmstudio'], env)).stdout).toContain(
      join(home, 'lm', 'mcp.json'),
    );
  });

  it('never looks at the home of whoever runs the tests', () => {
    expect(home).not.toBe(homedir());
  });
});
