import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { childEnvironment, run } from '../../../lab/program/program.ts';
import { hasTerminal, typeAt } from '../../../lab/program/terminal.ts';
import { temporaryFolder } from '../../../lab/store.ts';
import { COMMANDS } from '../../../src/commands/catalog.ts';
import { usageLine } from '../../../src/commands/command-line/help.ts';

const TWO_LINES = /^keypool-mcp: error: .+\nkeypool-mcp: hint: .+\n$/;

describe('help', () => {
  it.each(Object.entries(COMMANDS))(
    '%s --help prints its usage and every flag within 80 columns',
    async (name, entry) => {
      const { command } = await entry.load();
      const { code, stdout, stderr } = await run([...name.split(' '), '--help'], {});
      const words = stdout.replace(/\s+/g, ' ');
      expect(words).toContain(`Usage: keypool-mcp ${usageLine(name, command)} `);
      expect(words).toContain('--home DIR');
      for (const [flag, { about, isNegative }] of Object.entries(command.options)) {
        expect(words).toContain(`${isNegative === true ? '--no-' : '--'}${flag}`);
        expect(words).toContain(about);
      }
      expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
      expect(stderr).toBe('');
      expect(code).toBe(0);
    },
  );

  it('lists every command, and those of a group for the group', async () => {
    const all = await run(['--help'], {});
    for (const name of Object.keys(COMMANDS))
      expect(all.stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
    expect(Math.max(...all.stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    const keys = await run(['help', 'keys'], {});
    expect(keys.stdout).toContain('  keys add');
    expect(keys.stdout).not.toContain('  serve');
  });

  it.each([['--version'], ['version'], ['-v'], ['-V']])('prints the version: %s', async (word) => {
    expect((await run([word], {})).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('a typing error', () => {
  it.each([
    [['doctr'], 'doctor'],
    [['keys', 'ad'], 'keys add'],
    [['keys', 'improt', 'x'], 'keys import'],
    [['key', 'add', 'X'], 'keys add'],
    [['instal', 'cursor'], 'install'],
    [['keys', 'list', '--jsno'], '--json'],
    [['serve', '--prot', '1'], '--port'],
  ])('is answered with what was meant: %j', async (args, meant) => {
    const { code, stderr } = await run(args, {});
    expect(code).toBe(2);
    expect(stderr).toMatch(TWO_LINES);
    expect(stderr).toContain(
      `did you mean ${meant.startsWith('--') ? '' : 'keypool-mcp '}${meant}?`,
    );
  });

  it('is never repeated: it may be a key', async () => {
    const secret = `${'sk'}-${'1a2b3c4d'.repeat(4)}`;
    for (const args of [
      [secret],
      ['keys', secret],
      [`--${secret}`],
      ['keys', 'list', `--x=${secret}`],
    ]) {
      const { code, stdout, stderr } = await run(args, {});
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).not.toContain('1a2b3c4d');
    }
  });
});

describe('completion', () => {
  let source = '';
  beforeAll(async () => {
    source = (await run(['completion', 'bash'], {})).stdout;
  });

  /** What bash would offer behind these words. */
  const offered = (words: readonly string[]): string[] => {
    const array = words.map((word) => `"${word}"`).join(' ');
    const script = `${source}
COMP_WORDS=(keypool-mcp ${array}); COMP_CWORD=${words.length}; _keypool_mcp; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const out = execFileSync('bash', ['-c', script], {
      env: childEnvironment({}),
      encoding: 'utf8',
    });
    return out.split('\n').filter((word) => word !== '');
  };

  it('offers commands, flags and values in bash', () => {
    expect(offered(['do'])).toEqual(['doctor']);
    expect(offered(['keys', 'ad'])).toEqual(['add']);
    expect(offered(['keys', 'import', '--d'])).toEqual(['--dry-run', '--dotenv']);
    expect(offered(['install', 'curs'])).toEqual(['cursor']);
    expect(offered(['serve', '--log-level', 'de'])).toEqual(['debug']);
    expect(offered(['dashboard', '--no'])).toEqual(['--no-open']);
  });

  it.each(['zsh', 'fish'])('is a script that %s accepts', async (shell) => {
    const { code, stdout } = await run(['completion', shell], {});
    expect(code).toBe(0);
    for (const name of Object.keys(COMMANDS)) expect(stdout).toContain(name.split(' ').at(-1));
    const file = join(temporaryFolder(), 'script');
    writeFileSync(file, stdout);
    const check = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
    // Where the shell is not installed, nothing can be said of it.
    if (check.error === undefined) expect([check.status, check.stderr]).toEqual([0, '']);
  });

  it('refuses another shell', async () => {
    expect((await run(['completion', 'tcsh'], {})).code).toBe(2);
  });
});

describe('a bare keypool-mcp', () => {
  it('says on a terminal that it waits for a client, and how to leave', async ({ skip }) => {
    if (!hasTerminal) skip('util-linux script is not installed');
    const { output } = await typeAt('', { HOME: '/nonexistent' }, '\u0003', /Ctrl-C leaves/);
    expect(output).toMatch(/waits for a client.*Ctrl-C leaves/);
  });

  it('says nothing of it to a client', async () => {
    const { stderr } = await run([], { HOME: '/nonexistent' });
    for (const line of stderr.trim().split('\n')) JSON.parse(line);
  });
});
