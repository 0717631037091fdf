/** Who else can decide where a key goes, or read it: permissions, and what is inherited. */

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Program, run, type Variables } from '../../../lab/program/program.ts';
import { RawClient } from '../../../lab/program/test-client.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { fakeKey } from '../../../lab/store.ts';
import { until } from '../../../lab/until.ts';

const SERVERS = [['serve'], ['serve', '--http', '--port', '0']];

let home: Home;
beforeEach(async () => {
  home = await createHome({ keys: [{ name: 'DEEPSEEK_API_KEY', secret: fakeKey() }] });
});
afterEach(() => home.remove());

const at = (name: string): string => join(home.folder, name);

async function expectRefused(args: readonly string[], what: string, env: Variables = {}) {
  const { code, stderr } = await run(args, { ...home.env, ...env });
  expect(stderr).toMatch(/^keypool-mcp: error: .+\nkeypool-mcp: hint: .*chmod.+\n$/);
  expect(stderr).toContain(what);
  expect([args, code]).toEqual([args, 2]);
}

/** The log of a server that is asked to end as soon as it has begun. */
async function logOf(args: readonly string[], env: Variables = {}): Promise<string> {
  const program = new Program({ args, env: { ...home.env, ...env } });
  await until('it says that it serves', () => /serves on|Listening/.test(program.stderr));
  program.kill();
  await program.exit;
  return program.stderr;
}

async function doctor(env: Variables = {}) {
  const { stdout } = await run(['doctor', '--json'], { ...home.env, ...env });
  const { checks }: { checks: Array<{ check: string; status: string; message: string }> } =
    JSON.parse(stdout);
  return checks;
}

describe.skipIf(process.platform === 'win32')('a settings file', () => {
  it.each([0o620, 0o602, 0o666])('that others can write is refused: %o', async (mode) => {
    chmodSync(at('.env'), mode);
    for (const args of [...SERVERS, ['init'], ['keys', 'list'], ['keys', 'rotate-master']]) {
      await expectRefused(args, 'others can write');
    }
    expect(await doctor()).toContainEqual(
      expect.objectContaining({
        status: 'fail',
        message: expect.stringContaining('others can write'),
      }),
    );
  });

  it('in a folder that everybody can write is refused, that of the group is warned about', async () => {
    chmodSync(home.folder, 0o777);
    for (const args of [...SERVERS, ['init']]) await expectRefused(args, 'everybody can write');
    chmodSync(home.folder, 0o770);
    for (const args of SERVERS) expect(await logOf(args)).toContain('your group can write');
    expect((await run(['init'], home.env)).stderr).toContain('your group can write');
    expect(await doctor()).toContainEqual(
      expect.objectContaining({ status: 'warn', message: expect.stringContaining('your group') }),
    );
  });

  it('that is a link into a folder that everybody can write is refused', async () => {
    const open = join(home.tmp, 'open');
    mkdirSync(open);
    chmodSync(open, 0o777);
    renameSync(at('.env'), join(open, 'settings'));
    symlinkSync(join(open, 'settings'), at('.env'));
    for (const args of [...SERVERS, ['init']]) await expectRefused(args, 'everybody can write');
  });

  it('that others can read and that holds secrets is warned about, by name', async () => {
    const master = readFileSync(at('.env'), 'utf8');
    const env = { MASTER_ENCRYPTION_KEY: master.trim().replace(/^.*=/, '') };
    const secret = fakeKey();
    writeFileSync(at('.env'), `DEEPSEEK_API_KEY_2=${secret}\nDEEPSEEK_MODEL=x\n`);
    chmodSync(at('.env'), 0o644);
    const told = [
      ...(await Promise.all(SERVERS.map((args) => logOf(args, env)))),
      (await run(['init'], { ...home.env, ...env })).stderr,
      JSON.stringify(await doctor(env)),
    ];
    for (const text of told) {
      expect(text).toMatch(/others can read .*\.env, which holds DEEPSEEK_API_KEY_2/);
      expect(text).not.toContain(secret);
    }
    writeFileSync(at('.env'), 'DEEPSEEK_MODEL=x\n');
    expect(await logOf(['serve'], env)).not.toContain('others can read');
  });
});

describe.skipIf(process.platform === 'win32')('a token file', () => {
  it('that is named: written by others it is refused, read by others warned about', async () => {
    writeFileSync(at('token'), 'a-token-of-twenty-characters\n');
    const env = { KEYPOOL_HTTP_TOKEN_FILE: at('token') };
    chmodSync(at('token'), 0o622);
    await expectRefused(['serve', '--http', '--port', '0'], 'others can write', env);
    chmodSync(at('token'), 0o444);
    expect(await logOf(['serve', '--http', '--port', '0'], env)).toContain('others can read');
  });

  it('and the file of named clients are looked at by doctor as by the server', async () => {
    expect((await doctor()).map(({ check }) => check)).not.toContain('http token');
    await logOf(['serve', '--http', '--port', '0']);
    expect((await run(['clients', 'add', 'ada'], home.env)).code).toBe(0);
    expect(await doctor()).toContainEqual(
      expect.objectContaining({ check: 'http token', status: 'ok' }),
    );
    chmodSync(at('http-token'), 0o644);
    chmodSync(at('clients.json'), 0o666);
    for (const [check, what] of [
      ['http token', 'can be read by others'],
      ['named clients', 'others can write'],
    ] as const) {
      expect(await doctor()).toContainEqual(
        expect.objectContaining({ check, status: 'fail', message: expect.stringContaining(what) }),
      );
    }
    const { stderr } = await run(['clients', 'list'], home.env);
    expect(stderr).toMatch(/others can write .*clients\.json.*\n.*chmod 600/);
  });

  it('that is empty, as a full disk leaves it, is made anew', async () => {
    writeFileSync(at('http-token'), '', { mode: 0o600 });
    await logOf(['serve', '--http', '--port', '0']);
    expect(readFileSync(at('http-token'), 'utf8').trim()).toMatch(/^[\w-]{43}$/);
    expect(statSync(at('http-token')).mode & 0o777).toBe(0o600);
  });
});

describe('what is inherited', () => {
  it.skipIf(process.platform === 'win32')(
    'by a diagnostic report, and by every child, holds no secret',
    async () => {
      const reports = at('reports');
      mkdirSync(reports);
      const secrets = {
        MASTER_ENCRYPTION_KEY: 'a passphrase of a person 1234',
        DEEPSEEK_API_KEY: fakeKey(),
        DEEPSEEK_API_KEYS: `${fakeKey()},${fakeKey()}`,
        PERPLEXITY_API_KEY_2: fakeKey(),
        KEYPOOL_HTTP_TOKEN: 'a-token-of-twenty-characters',
        HTTPS_PROXY: 'http://user:proxy-password@127.0.0.1:9',
      };
      writeFileSync(at('.env'), '', { mode: 0o600 });
      const program = new Program({
        args: ['serve'],
        env: {
          ...home.env,
          ...secrets,
          NODE_OPTIONS: `--report-on-signal --report-directory=${reports}`,
        },
      });
      await until('it says that it serves', () => program.stderr.includes('serves on'));
      program.kill('SIGUSR2');
      await until('the report is written', () => readdirSync(reports).length > 0);
      program.kill();
      await program.exit;
      const [name = ''] = readdirSync(reports);
      const text = readFileSync(join(reports, name), 'utf8');
      const { environmentVariables } = JSON.parse(text);
      expect(environmentVariables).toMatchObject({ KEYPOOL_HOME: home.folder });
      for (const variable of Object.keys(secrets))
        expect(environmentVariables).not.toHaveProperty(variable);
      for (const value of Object.values(secrets)) expect(text).not.toContain(value.slice(-12));
    },
  );

  it('by the browser is a clean environment', async () => {
    // A stand-in for xdg-open that writes down what it was given.
    const bin = at('bin');
    mkdirSync(bin);
    writeFileSync(
      join(bin, 'xdg-open'),
      `#!/bin/sh\nenv > ${at('seen.tmp')}\nmv ${at('seen.tmp')} ${at('seen')}\n`,
      { mode: 0o755 },
    );
    if (process.platform !== 'linux') return;
    const program = new Program({
      args: ['dashboard', '--port', '0'],
      env: {
        ...home.env,
        PATH: `${bin}:${process.env.PATH}`,
        DISPLAY: ':99',
        DEEPSEEK_API_KEY_7: fakeKey(),
        AWS_SECRET_ACCESS_KEY: 'not-for-a-browser',
        KEYPOOL_HTTP_TOKEN: 'a-token-of-twenty-characters',
      },
    });
    await until('the browser was opened', () => existsSync(at('seen')));
    program.kill();
    await program.exit;
    const seen = readFileSync(at('seen'), 'utf8');
    expect(seen).toContain('DISPLAY=:99');
    expect(seen).not.toMatch(/DEEPSEEK|AWS_|KEYPOOL_|not-for-a-browser/);
  });
});

describe('an inspector', () => {
  it.skipIf(process.platform === 'win32')('is not opened by a signal while serving', async () => {
    const program = new Program({ args: ['serve'], env: home.env });
    await until('it says that it serves', () => program.stderr.includes('serves on'));
    program.kill('SIGUSR1');
    await new Promise((resolve) => setTimeout(resolve, 500));
    program.kill();
    await program.exit;
    expect(program.stderr).not.toContain('Debugger');
  });
});

describe('doctor', () => {
  it('fails where certificates are not checked', async () => {
    const found = await doctor({ NODE_TLS_REJECT_UNAUTHORIZED: '0' });
    expect(found).toContainEqual(
      expect.objectContaining({
        status: 'fail',
        message: expect.stringContaining('NODE_TLS_REJECT_UNAUTHORIZED'),
      }),
    );
  });
});

describe('a legacy file where a v2 store was', () => {
  it('is refused by commands and by servers, fresh and running', async () => {
    const flat = at('flat.json');
    expect((await run(['keys', 'export', '--out', flat], home.env)).code).toBe(0);
    const running = new Program({ args: ['serve', '--http', '--port', '0'], env: home.env });
    await until('it listens', () => running.stderr.includes('Listening'));
    writeFileSync(at('store.json'), readFileSync(flat), { mode: 0o600 });
    const listed = await run(['keys', 'list'], home.env);
    expect(listed.code).toBe(3);
    expect(listed.stderr).toMatch(/^keypool-mcp: error: .*was v2.*\nkeypool-mcp: hint: .+\n$/);
    const fresh = new RawClient(home.env);
    await fresh.initialize();
    const answer = await fresh.callTool('deepseek_generate_code', { prompt: 'x' });
    expect(answer.result?.isError).toBe(true);
    expect(answer.result?.content?.[0]?.text).toContain('was v2');
    await fresh.close();
    running.kill();
    await running.exit;
    // It had no reason to open the store before; whoever did keeps the keys (test/secrets).
    expect(await doctor()).toContainEqual(
      expect.objectContaining({ status: 'fail', message: expect.stringContaining('was v2') }),
    );
  });
});

describe('the home', () => {
  it('keeps itself out of git', async () => {
    expect(readFileSync(at('.gitignore'), 'utf8')).toBe('*\n');
    spawnSync('git', ['init', '-q', home.folder]);
    const { stdout } = spawnSync('git', ['-C', home.folder, 'status', '--porcelain'], {
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
    writeFileSync(at('.gitignore'), 'mine\n');
    await run(['init'], home.env);
    expect(readFileSync(at('.gitignore'), 'utf8')).toBe('mine\n');
  });
});
