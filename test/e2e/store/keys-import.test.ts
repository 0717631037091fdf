import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PROGRAM, run } from '../../../lab/program/program.ts';
import { hasTerminal, typeAt } from '../../../lab/program/terminal.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import {
  LONGER_SK,
  PASSWORD,
  PX0,
  SECRETS,
  SK0,
  SK1,
  SK2,
} from '../../importing/corpus/corpus-case.ts';
import { PROGRAM_FILES } from '../../importing/corpus/programs.ts';

let home: Home;
beforeEach(async () => {
  home = await createHome();
  await cli(['init']);
});
afterEach(() => home.remove());

const cli = (args: readonly string[], input = '', env: Readonly<Record<string, string>> = {}) =>
  run(args, { ...home.env, ...env }, { input });
const listed = async (): Promise<Array<Record<string, unknown>>> =>
  JSON.parse((await cli(['keys', 'list', '--json'])).stdout);
const names = async (): Promise<unknown[]> => (await listed()).map((entry) => entry.name);
const TWO_LINES = /^keypool-mcp: error: .+\nkeypool-mcp: hint: .+\n$/;

function source(name: string, text: string | Uint8Array): string {
  const path = join(home.folder, name);
  writeFileSync(path, text);
  return path;
}

/** What went out, and that no run of eight characters of a secret is in it. */
function cleaned({ stdout, stderr }: { stdout: string; stderr: string }): string {
  const text = stdout + stderr;
  for (const secret of SECRETS) {
    for (let at = 0; at + 8 <= secret.length; at++) {
      expect(text.includes(secret.slice(at, at + 8))).toBe(false);
    }
  }
  return text;
}

const NOTE = `DeepSeek API: ${SK0}
ask Anna about the second
PPLX_API_KEY=${PX0}
password: ${PASSWORD}
DeepSeek API 2: ${SK1}
# DEEPSEEK_API_KEY=${SK2}
`;

describe('keys import', () => {
  it('shows three piles by line, and a dry run says what the real one does', async () => {
    const path = source('keys.txt', NOTE);
    const dry = await cli(['keys', 'import', path, '--dry-run']);
    expect(dry.code).toBe(0);
    expect(await names()).toEqual([]);
    const real = await cli(['keys', 'import', path]);
    expect(real.code).toBe(0);
    const asReal = dry.stdout.replaceAll('would add', 'added    ').replace('2 to add', '2 added');
    expect(asReal).toBe(real.stdout);
    expect(real.stdout).toMatch(/^added +DEEPSEEK_API_KEY \(sk-….{6}\), line 1$/m);
    expect(real.stdout).toMatch(/^added +DEEPSEEK_API_KEY_2 .*line 5$/m);
    expect(real.stdout).toMatch(/^likely +PERPLEXITY_API_KEY .*line 3: .+/m);
    expect(real.stdout).toMatch(/^left +line 4: a password/m);
    expect(real.stdout).toMatch(/^left +line 6: in a comment/m);
    expect(real.stderr).toContain('--yes');
    expect(real.stderr).toContain('take lines 1, 5 out of it');
    expect(await names()).toEqual(['DEEPSEEK_API_KEY', 'DEEPSEEK_API_KEY_2']);
    expect(readFileSync(path, 'utf8')).toBe(NOTE);
    for (const result of [dry, real]) cleaned(result);
  });

  it('adds the likely ones with --yes, and finds nothing new the second time', async () => {
    const path = source('keys.txt', NOTE);
    expect((await cli(['keys', 'import', path, '--yes'])).stdout).toMatch(
      /^added +PERPLEXITY_API_KEY/m,
    );
    const again = await cli(['keys', 'import', path]);
    expect(again.code).toBe(0);
    expect(again.stdout).toMatch(/^unchanged +DEEPSEEK_API_KEY_2, line 5$/m);
    expect(again.stdout).toMatch(/^unchanged +PERPLEXITY_API_KEY, line 3$/m);
    expect(again.stdout).toContain('0 added');
  });

  it('asks for each likely one on a terminal', async ({ skip }) => {
    if (!hasTerminal) skip('util-linux script is not installed');
    source('keys.txt', `DeepSeek: ${LONGER_SK}\n`);
    const file = join(home.folder, 'keys.txt');
    const no = await typeAt(`keys import ${file}`, home.env, 'n\r');
    expect(no.output).toContain('Line 1: its form is not quite that of a DeepSeek key');
    expect(await names()).toEqual([]);
    const yes = await typeAt(`keys import ${file}`, home.env, 'y\r');
    expect(yes.output).toMatch(/added +DEEPSEEK_API_KEY/);
    expect(await names()).toEqual(['DEEPSEEK_API_KEY']);
  });

  it.each([
    ['an export of 1Password', Buffer.from('PK\u0003\u0004export.data'), /zip archive/, /as CSV/],
    [
      'a KeePass database',
      Buffer.from([3, 0xd9, 0xa2, 0x9a, 0x67]),
      /KeePass database/,
      /as XML or CSV/,
    ],
    [
      'an encrypted export',
      `{"encrypted": true, "data": "2.${SK0}"}`,
      /encrypted/,
      /as CSV or JSON/,
    ],
  ])('names what to export instead of %s', async (_what, content, what, hint) => {
    const { code, stdout, stderr } = await cli(['keys', 'import', source('export', content)]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(what);
    expect(stderr).toMatch(hint);
    expect(stderr).not.toContain(SK0.slice(0, 8));
  });

  it('loses no key when several imports run at once', async () => {
    const keys = [SK0, SK1, SK2];
    const runs = await Promise.all(
      keys.map((key, at) => cli(['keys', 'import', source(`${at}.txt`, `DeepSeek: ${key}\n`)])),
    );
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(await names()).toEqual(['DEEPSEEK_API_KEY', 'DEEPSEEK_API_KEY_2', 'DEEPSEEK_API_KEY_3']);
    const added = runs.map(({ stdout }) => /^added +(\w+)/.exec(stdout)?.[1]).sort();
    expect(added).toEqual(await names());
  });

  it('keeps its report, and that of doctor, within the terminal', async ({ skip }) => {
    if (!hasTerminal) skip('util-linux script is not installed');
    source('keys.txt', `DEEPSEEK_API_KEY=${SK0}\n# PERPLEXITY_API_KEY=${PX0}\n${SK1}\n`);
    for (const command of ['keys import keys.txt --dry-run', 'doctor']) {
      const path = command.replace('keys.txt', join(home.folder, 'keys.txt'));
      const { output } = await typeAt(path, home.env, '');
      // What is one word stays one: a path can be copied.
      const wide = output
        .split(/\r?\n/)
        .filter((line) => line.length > 80 && /\S\s+\S/.test(line.trim()));
      expect(wide, output).toEqual([]);
      expect(output.split('\n').length).toBeGreaterThan(4);
    }
  });

  it('reads standard input, UTF-16, JSON, YAML, TOML and tables in the built program', async () => {
    const texts: ReadonlyArray<readonly [string, string | Buffer]> = [
      ['1', Buffer.from(`DEEPSEEK_API_KEY=${SK0}\r\n`, 'utf16le')],
      ['2', JSON.stringify({ env: { DEEPSEEK_API_KEY: SK0 } }, null, 2)],
      ['3', `env:\n  app:\n    DEEPSEEK_API_KEY: ${SK0}\n`],
      ['4', `[deepseek]\napi_key = "${SK0}"\n`],
      ['5', `service,api_key\nDeepSeek,${SK0}\n`],
      [
        '7',
        `<?xml version="1.0"?>\n<KeePassFile><Entry><String><Key>Title</Key><Value>DeepSeek</Value></String><String><Key>UserName</Key><Value/></String><String><Key>Password</Key><Value>${SK0}</Value></String></Entry></KeePassFile>`,
      ],
      ['6', `// mine\n{"DEEPSEEK_API_KEY": "${SK0}",}\n`],
    ];
    for (const [name, text] of texts) {
      const { code, stdout } = await cli(['keys', 'import', source(name, text), '--dry-run']);
      expect([name, code]).toEqual([name, 0]);
      expect(stdout).toMatch(/^would add +DEEPSEEK_API_KEY /);
    }
    const piped = await cli(['keys', 'import', '-'], `DEEPSEEK_API_KEYS=${SK0},${SK1}\n`);
    expect(piped.code).toBe(0);
    expect(piped.stderr).toBe('');
    expect(await names()).toEqual(['DEEPSEEK_API_KEY', 'DEEPSEEK_API_KEY_2']);
  });

  it('says "delete it" of a file of keys alone', async () => {
    const whole = await cli(['keys', 'import', source('keys.txt', `DeepSeek\n${SK0}\n`)]);
    expect(whole.stderr).toMatch(/delete it/);
    const shell = await cli([
      'keys',
      'import',
      source('.zshrc', `export DEEPSEEK_API_KEY=${SK0}\n`),
    ]);
    expect(shell.stderr).toMatch(/take line 1 out of it/);
  });

  it.each([
    ['a folder', () => home.folder],
    ['nothing there', () => join(home.folder, 'nowhere')],
    ['a picture', () => source('a.png', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 1, 2, 3]))],
    ['a store', () => join(home.folder, 'store.json')],
  ])('refuses %s in two lines', async (_what, path) => {
    const { code, stdout, stderr } = await cli(['keys', 'import', path()]);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(TWO_LINES);
  });

  it('offers the password of a netrc entry of ours, and leaves typed examples alone', async () => {
    const text = `machine api.deepseek.com\n  login me\n  password ${SK0}\nPPLX_API_KEY=pplx-${'1234'.repeat(12)}\n`;
    const result = await cli(['keys', 'import', '-', '--yes'], text);
    expect(result.code).toBe(0);
    expect(cleaned(result)).toMatch(/line 4: a placeholder, not a key/);
    expect(await names()).toEqual(['DEEPSEEK_API_KEY']);
  });

  it('ends with 1 when nothing was taken', async () => {
    const { code, stdout } = await cli(['keys', 'import', '-'], `DEEPSEEK_API_KEY=${PX0}\n`);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^left +DEEPSEEK_API_KEY, line 1: .*Perplexity/);
  });
});

describe('names and values', () => {
  it.each([
    ['DEEPSEEK_API_KEY_0', SK0],
    ['DEEPSEEK_API_KEY_01', SK0],
    ['PERPLEXITY_API_KEY_123456', PX0],
    ['DEEPSEEK_API_KEY', PX0],
    ['PERPLEXITY_API_KEY', SK0],
    ['DEEPSEEK_API_KEY', `sk-${'a7'.repeat(600)}`],
    ['DEEPSEEK_API_KEY', 'sk-your-key'],
    ['DEEPSEEK_API_KEY', `sk-${'deadbeef'.repeat(4)}`],
    ['PERPLEXITY_API_KEY', `pplx-${'a'.repeat(48)}`],
    ['DEEPSEEK_API_KEY', `${SK0},${SK1}`],
  ])('keys add refuses %s, case %#', async (name, value) => {
    const result = await cli(['keys', 'add', name], value);
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(TWO_LINES);
    cleaned(result);
    expect(await names()).toEqual([]);
  });

  it('keys add takes off what stands around a value, and says it when it is there already', async () => {
    const first = await cli(
      ['keys', 'add', 'DEEPSEEK_API_KEY'],
      `export DEEPSEEK_API_KEY="${SK0}";\n`,
    );
    expect(first.stdout).toBe(`Added DEEPSEEK_API_KEY (sk-…${SK0.slice(-6)})\n`);
    const second = await cli(['keys', 'add', 'DEEPSEEK_API_KEY_2'], SK0);
    expect(second.stderr).toContain('stored as DEEPSEEK_API_KEY');
    const alias = await cli(['keys', 'add', 'DEEPSEEK_KEY'], SK1);
    expect(alias.stderr).toContain('keys rename DEEPSEEK_KEY DEEPSEEK_API_KEY');
  });

  it('shows no part of a short value', async () => {
    await cli(['keys', 'add', 'BYBIT_SECRET'], 'abc12345xyz');
    const [entry] = await listed();
    expect(entry).toMatchObject({ masked: '…', key_id: expect.stringMatching(/^[0-9a-f]{6}$/) });
    const shown = await cli(['keys', 'show', 'BYBIT_SECRET']);
    expect(shown.stdout).not.toMatch(/abc1|2345|5xyz/);
  });

  it('takes several keys of one variable, and says which variables it cannot use', async () => {
    const env = {
      DEEPSEEK_API_KEY: `${SK0},${SK1}`,
      DEEPSEEK_API_KEY_01: SK2,
      PERPLEXITY_API_KEY: SK2,
    };
    const { code, stdout } = await cli(['doctor'], '', env);
    expect(code).toBe(1);
    expect(stdout).toMatch(/DeepSeek keys +2: DEEPSEEK_API_KEY, DEEPSEEK_API_KEY_2/);
    expect(stdout).toMatch(/FAIL +unused variable +DEEPSEEK_API_KEY_01/);
    expect(stdout).toMatch(/FAIL +unused variable +PERPLEXITY_API_KEY/);
  });
});

describe('keys rename and keys show', () => {
  it('gives a key another name and keeps what is known about it', async () => {
    await cli(['keys', 'add', 'DEEPSEEK_KEY', '--account', 'main'], SK0);
    const [before] = await listed();
    const { code, stdout } = await cli(['keys', 'rename', 'DEEPSEEK_KEY', 'DEEPSEEK_API_KEY']);
    expect([code, stdout]).toEqual([0, 'Renamed DEEPSEEK_KEY to DEEPSEEK_API_KEY\n']);
    expect(await listed()).toEqual([{ ...before, name: 'DEEPSEEK_API_KEY' }]);
    const shown = await cli(['keys', 'show', 'DEEPSEEK_API_KEY']);
    expect(cleaned(shown)).toMatch(/In the pool +yes\nAccount +main\n/);
  });

  it('never takes a name in use, and fails for one that is not there', async () => {
    await cli(['keys', 'add', 'A_KEY'], 'secret-0123456789');
    await cli(['keys', 'add', 'B_KEY'], 'secret-9876543210');
    expect((await cli(['keys', 'rename', 'A_KEY', 'B_KEY'])).code).toBe(2);
    expect((await cli(['keys', 'rename', 'NO_KEY', 'C_KEY'])).code).toBe(1);
    expect((await cli(['keys', 'rename', 'A_KEY', 'DEEPSEEK_API_KEY_0'])).code).toBe(2);
    expect((await cli(['keys', 'show', 'NO_KEY'])).code).toBe(1);
    expect(await names()).toEqual(['A_KEY', 'B_KEY']);
  });
});

describe('an output that cannot be written', () => {
  it.skipIf(!existsSync('/dev/full'))('is an error, and leaves no half file', async () => {
    await cli(['keys', 'add', 'DEEPSEEK_API_KEY'], SK0);
    const shell = (command: string): string => {
      const script = `${command}; echo "code $?"`;
      const env = { PATH: process.env.PATH ?? '', ...home.env };
      return execFileSync('sh', ['-c', script], { env, encoding: 'utf8', stdio: 'pipe' });
    };
    for (const args of ['keys list', 'keys export --format fernet', 'keys show DEEPSEEK_API_KEY']) {
      const out = shell(`"${process.execPath}" "${PROGRAM}" ${args} 2>&1 >/dev/full`);
      expect(out).toMatch(
        /^keypool-mcp: error: the output cannot be written.*\n.*hint: .*\ncode 1\n$/,
      );
    }
  });
});

describe('sources of programs, and what tools write', () => {
  it.each(PROGRAM_FILES)('$title', async ({ text, sure = {}, likely = {} }) => {
    const rows = cleaned(await cli(['keys', 'import', '-'], text));
    expect(await names()).toEqual(Object.keys(sure).sort());
    for (const name of Object.keys(likely)) expect(rows).toContain(`likely     ${name} (`);
  });
});
