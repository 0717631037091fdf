import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../../lab/program/program.ts';
import { hasTerminal, typeAt } from '../../../lab/program/terminal.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { fakeKey } from '../../../lab/store.ts';

let home: Home;
beforeEach(async () => {
  home = await createHome();
});
afterEach(() => home.remove());

const cli = (args: readonly string[], input = '', env: Readonly<Record<string, string>> = {}) =>
  run(args, { ...home.env, ...env }, { input });
const storePath = () => join(home.folder, 'store.json');
const settingsPath = () => join(home.folder, '.env');
const listed = async (args: readonly string[] = []): Promise<Array<Record<string, unknown>>> =>
  JSON.parse((await cli(['keys', 'list', '--json', ...args])).stdout);
const masterKey = () => readFileSync(settingsPath(), 'utf8').match(/kpm1_\S+/)?.[0] ?? '';
/** Two lines, each with the program's name; nothing else. */
const TWO_LINES = /^keypool-mcp: error: .+\nkeypool-mcp: hint: .+\n$/;

describe('init', () => {
  it('makes a private home, a generated key and an empty store, and does so once', async () => {
    expect((await cli(['init'])).code).toBe(0);
    expect(statSync(home.folder).mode & 0o777).toBe(0o700);
    expect(statSync(settingsPath()).mode & 0o777).toBe(0o600);
    expect(statSync(storePath()).mode & 0o777).toBe(0o600);
    const before = [readFileSync(settingsPath(), 'utf8'), readFileSync(storePath(), 'utf8')];
    expect(before[0]).toMatch(/^MASTER_ENCRYPTION_KEY=kpm1_[\w-]{49}\n$/);
    const again = await cli(['init']);
    expect(again.code).toBe(0);
    expect([readFileSync(settingsPath(), 'utf8'), readFileSync(storePath(), 'utf8')]).toEqual(
      before,
    );
    expect(again.stdout + again.stderr).not.toContain(masterKey().slice(0, 13));
  });

  it('keeps the lines of a settings file that is there', async () => {
    mkdirSync(home.folder, { mode: 0o700 });
    writeFileSync(
      settingsPath(),
      '# mine\r\nDEEPSEEK_MODEL=deepseek-flash\r\nMASTER_ENCRYPTION_KEY=\r\n',
    );
    expect((await cli(['init'])).code).toBe(0);
    expect(readFileSync(settingsPath(), 'utf8')).toMatch(
      /^# mine\r\nDEEPSEEK_MODEL=deepseek-flash\r\nMASTER_ENCRYPTION_KEY=kpm1_\S+\r\n$/,
    );
  });

  it('never replaces a store whose master key is gone', async () => {
    await cli(['init']);
    const store = readFileSync(storePath());
    writeFileSync(settingsPath(), '');
    const { code, stderr } = await cli(['init']);
    expect(code).toBe(3);
    expect(stderr).toMatch(TWO_LINES);
    expect(readFileSync(storePath())).toEqual(store);
    expect(readFileSync(settingsPath(), 'utf8')).toBe('');
  });

  it('gives two at a time the same master key', async () => {
    await Promise.all([cli(['init']), cli(['init']), cli(['init'])]);
    expect(readFileSync(settingsPath(), 'utf8').match(/kpm1_/g)).toHaveLength(1);
    expect((await cli(['keys', 'list'])).code).toBe(0);
  });
});

describe('keys add, list and remove', () => {
  beforeEach(async () => {
    await cli(['init']);
  });

  it('takes the value from stdin and shows six characters of it', async () => {
    const secret = fakeKey();
    const { code, stdout } = await cli(
      ['keys', 'add', 'DEEPSEEK_API_KEY', '--account', 'main'],
      `${secret}\n`,
    );
    expect(code).toBe(0);
    expect(stdout).toBe(`Added DEEPSEEK_API_KEY (sk-…${secret.slice(-6)})\n`);
    expect(await listed()).toMatchObject([
      {
        name: 'DEEPSEEK_API_KEY',
        masked: `sk-…${secret.slice(-6)}`,
        key_id: secret.slice(-6),
        account: 'main',
      },
    ]);
    expect(readFileSync(storePath(), 'utf8')).not.toContain(secret);
  });

  it('says that it replaces', async () => {
    await cli(['keys', 'add', 'BYBIT_SECRET'], fakeKey());
    expect((await cli(['keys', 'add', 'BYBIT_SECRET'], fakeKey())).stdout).toMatch(
      /^Replaced BYBIT_SECRET/,
    );
  });

  it.each([
    ['a value after the name', (key: string) => ['DEEPSEEK_API_KEY', key]],
    ['NAME=value', (key: string) => [`DEEPSEEK_API_KEY=${key}`]],
    ['a value instead of the name', (key: string) => [key]],
    ['a flag with the value', (key: string) => ['DEEPSEEK_API_KEY', '--value', key]],
  ])('refuses %s and does not repeat it', async (_what, args) => {
    const secret = fakeKey();
    const { code, stdout, stderr } = await cli(['keys', 'add', ...args(secret)], fakeKey());
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(TWO_LINES);
    expect(stderr).not.toContain(secret.slice(8, 20));
    expect(await listed()).toEqual([]);
  });

  it.each([
    ['a space', 'sk-test one two'],
    ['two lines', 'sk-test-one\nsk-test-two'],
    ['nothing', ''],
    ['a placeholder', 'your_key_here'],
  ])('refuses %s as a value', async (_what, value) => {
    const { code, stderr } = await cli(['keys', 'add', 'DEEPSEEK_API_KEY'], value);
    expect(code).toBe(2);
    expect(stderr).toMatch(TWO_LINES);
    expect(await listed()).toEqual([]);
  });

  it('removes a key, and fails for one that is not there', async () => {
    await cli(['keys', 'add', 'BYBIT_SECRET'], fakeKey());
    expect((await cli(['keys', 'remove', 'BYBIT_SECRET'])).code).toBe(0);
    const again = await cli(['keys', 'remove', 'BYBIT_SECRET']);
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(TWO_LINES);
  });

  it('keeps every key when several processes add at the same time', async () => {
    const names = Array.from({ length: 8 }, (_, index) => `DEEPSEEK_API_KEY_${index + 2}`);
    const results = await Promise.all(names.map((name) => cli(['keys', 'add', name], fakeKey())));
    expect(results.map((result) => result.code)).toEqual(names.map(() => 0));
    expect((await listed()).map((entry) => entry.name)).toEqual(names);
  });

  it('asks on a terminal without showing what is typed, and leaves the terminal as it was', async ({
    skip,
  }) => {
    if (!hasTerminal) skip('util-linux script is not installed');
    const secret = fakeKey();
    const { output } = await typeAt(
      'keys add DEEPSEEK_API_KEY; stty -a',
      home.env,
      `${secret}x\u007f\r`,
    );
    expect(output).toContain(`Added DEEPSEEK_API_KEY (sk-…${secret.slice(-6)})`);
    expect(output).not.toContain(secret);
    expect(output).toMatch(/[^-]icanon\b/);
    expect(output).toMatch(/[^-]echo\b/);
  });

  it('ends with 130 when the prompt is left with Ctrl-C', async ({ skip }) => {
    if (!hasTerminal) skip('util-linux script is not installed');
    const { code } = await typeAt('keys add BYBIT_SECRET', home.env, 'abc\u0003');
    expect(code).toBe(130);
    expect(await listed()).toEqual([]);
  });
});

describe('rotate-master', () => {
  it('beside a prompt that waits: the key is stored under the new one', async ({ skip }) => {
    if (!hasTerminal) return skip('no `script` here');
    await cli(['init']);
    const secret = fakeKey();
    const { output } = await typeAt('keys add DEEPSEEK_API_KEY', home.env, async () => {
      expect((await cli(['keys', 'rotate-master'])).code).toBe(0);
      return `${secret}\r`;
    });
    expect(output).toContain(`Added DEEPSEEK_API_KEY (sk-…${secret.slice(-6)})`);
    expect((await cli(['keys', 'list'])).stdout).toContain('DEEPSEEK_API_KEY');
  });

  it('leaves the old master key nothing to open, in every environment', async () => {
    await cli(['init']);
    await cli(['init', '--environment', 'staging']);
    await cli(['keys', 'add', 'DEEPSEEK_API_KEY'], fakeKey());
    writeFileSync(settingsPath(), `# mine\n${readFileSync(settingsPath(), 'utf8')}FOREIGN=1\n`);
    const old = masterKey();
    const { code, stdout, stderr } = await cli(['keys', 'rotate-master']);
    expect(code).toBe(0);
    const fresh = masterKey();
    expect(fresh).not.toBe(old);
    expect(stdout + stderr).not.toContain(fresh.slice(5, 15));
    expect(readFileSync(settingsPath(), 'utf8')).toBe(
      `# mine\nMASTER_ENCRYPTION_KEY=${fresh}\nFOREIGN=1\n`,
    );
    expect((await listed()).map((entry) => entry.name)).toEqual(['DEEPSEEK_API_KEY']);
    expect((await cli(['keys', 'list', '--environment', 'staging'])).code).toBe(0);
    for (const environment of [[], ['--environment', 'staging']]) {
      const refused = await cli(['keys', 'list', ...environment], '', {
        MASTER_ENCRYPTION_KEY: old,
      });
      expect(refused.code).toBe(3);
      expect(refused.stderr).toMatch(TWO_LINES);
    }
  });

  it('says what to do when the environment holds the master key', async () => {
    await cli(['init'], '', { MASTER_ENCRYPTION_KEY: 'a passphrase for the tests' });
    const { code, stderr } = await cli(['keys', 'rotate-master'], '', {
      MASTER_ENCRYPTION_KEY: 'a passphrase for the tests',
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(TWO_LINES);
  });

  it('switches a master key file', async () => {
    mkdirSync(home.folder, { mode: 0o700 });
    const file = join(home.folder, 'master');
    writeFileSync(file, 'a passphrase for the tests\n', { mode: 0o600 });
    const env = { MASTER_ENCRYPTION_KEY_FILE: file };
    await cli(['init'], '', env);
    expect((await cli(['keys', 'rotate-master'], '', env)).code).toBe(0);
    expect(readFileSync(file, 'utf8')).toMatch(/^kpm1_/);
    expect((await cli(['keys', 'list'], '', env)).code).toBe(0);
  });
});

describe('what cannot be opened', () => {
  beforeEach(async () => {
    await cli(['init']);
    await cli(['keys', 'add', 'DEEPSEEK_API_KEY'], fakeKey());
  });

  const damages: ReadonlyArray<readonly [string, RegExp, () => void]> = [
    [
      'a truncated store',
      /cut off/,
      () => writeFileSync(storePath(), readFileSync(storePath()).subarray(0, 200)),
    ],
    ['an empty store', /empty/, () => writeFileSync(storePath(), '')],
    [
      'a v3 store',
      /newer version/,
      () => {
        writeFileSync(
          storePath(),
          readFileSync(storePath(), 'utf8').replace('"version": 2', '"version": 3'),
        );
      },
    ],
    [
      'a tampered store',
      /tampered/,
      () => {
        writeFileSync(
          storePath(),
          readFileSync(storePath(), 'utf8').replace('"account":null', '"account":"x"'),
        );
      },
    ],
    ['a settings file others can read', /others can read/, () => chmodSync(settingsPath(), 0o644)],
    [
      'a generated key with one character wrong',
      /typing error/,
      () => {
        const key = masterKey();
        const wrong = key.slice(0, 20) + (key[20] === 'A' ? 'B' : 'A') + key.slice(21);
        writeFileSync(settingsPath(), `MASTER_ENCRYPTION_KEY=${wrong}\n`);
      },
    ],
    [
      'a generated key with its prefix mistyped',
      /typing error/,
      () => {
        writeFileSync(
          settingsPath(),
          `MASTER_ENCRYPTION_KEY=${masterKey().replace('kpm1', 'kpn1')}\n`,
        );
      },
    ],
    [
      'two master keys',
      /two master keys/,
      () => {
        writeFileSync(
          settingsPath(),
          `${readFileSync(settingsPath(), 'utf8')}MASTER_ENCRYPTION_KEY_FILE=/nowhere\n`,
        );
      },
    ],
    ['no master key', /no master key/, () => writeFileSync(settingsPath(), '')],
  ];

  it.each(damages)('ends with 3 and touches nothing: %s', async (_what, words, damage) => {
    damage();
    const before = readFileSync(storePath());
    for (const args of [
      ['keys', 'list'],
      ['keys', 'add', 'BYBIT_SECRET'],
      ['keys', 'rotate-master'],
      ['keys', 'migrate'],
    ]) {
      const { code, stdout, stderr } = await cli(args, fakeKey());
      expect([args.join(' '), code]).toEqual([args.join(' '), 3]);
      expect(stdout).toBe('');
      expect(stderr).toMatch(TWO_LINES);
      expect(stderr).toMatch(words);
    }
    expect(readFileSync(storePath())).toEqual(before);
    expect(readdirSync(home.folder).sort()).toEqual([
      '.env',
      '.gitignore',
      'store.json',
      'v2-stores.json',
    ]);
  });

  it('never falls back to another environment', async () => {
    for (const args of [
      ['--environment', 'staging'],
      ['--store', join(home.folder, 'other.json')],
    ]) {
      const { code, stderr } = await cli(['keys', 'list', ...args]);
      expect(code).toBe(3);
      expect(stderr).toMatch(TWO_LINES);
    }
    expect(
      (await cli(['keys', 'add', 'BYBIT_SECRET'], fakeKey(), { KEYPOOL_ENVIRONMENT: 'staging' }))
        .code,
    ).toBe(3);
    expect(existsSync(join(home.folder, 'store.staging.json'))).toBe(false);
  });

  it('names a folder and a circle of symlinks', async () => {
    mkdirSync(join(home.folder, 'folder.json'));
    symlinkSync('circle.json', join(home.folder, 'circle.json'));
    for (const name of ['folder.json', 'circle.json']) {
      const { code, stderr } = await cli(['keys', 'list', '--store', join(home.folder, name)]);
      expect(code).toBe(3);
      expect(stderr).toContain(name);
    }
  });
});

describe('doctor', () => {
  it('is content with a healthy home and no client, and finds what has to be fixed', async () => {
    expect((await cli(['doctor'])).code).toBe(1);
    await cli(['init']);
    await cli(['keys', 'add', 'DEEPSEEK_API_KEY', '--account', 'main'], fakeKey());
    const healthy = await cli(['doctor', '--json']);
    expect(healthy.code).toBe(0);
    expect(JSON.parse(healthy.stdout)).toMatchObject({
      ok: true,
      home: home.folder,
      environment: null,
    });
    chmodSync(settingsPath(), 0o640);
    const broken = await cli(['doctor', '--environment', 'staging']);
    expect(broken.code).toBe(1);
    expect(broken.stdout).toContain('chmod 600');
    expect(broken.stdout).toContain('staging');
  });

  it('shows neither a key nor the password of a proxy', async () => {
    await cli(['init']);
    const secret = fakeKey();
    const { stdout } = await cli(['doctor'], '', {
      DEEPSEEK_API_KEY: secret,
      HTTPS_PROXY: 'http://somebody:fake-proxy-password@proxy.test:8080',
    });
    expect(stdout).toContain('proxy.test:8080');
    expect(stdout).not.toContain('fake-proxy-password');
    expect(stdout).not.toContain(secret.slice(8, 20));
  });
});
