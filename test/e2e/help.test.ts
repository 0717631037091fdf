import { describe, expect, it } from 'vitest';
import { run } from '../../lab/program.ts';
import { COMMANDS } from '../../src/commands/catalog.ts';

describe('help', () => {
  it.each(Object.keys(COMMANDS))(
    '%s --help prints its usage and the global flags',
    async (name) => {
      const { code, stdout, stderr } = await run([...name.split(' '), '--help'], {});
      expect(stdout).toContain(`Usage: keypool-mcp ${COMMANDS[name]?.usage}`);
      expect(stdout).toContain('--home DIR');
      expect(stderr).toBe('');
      expect(code).toBe(0);
    },
  );

  it('lists every command, and those of a group for the group', async () => {
    const all = await run(['--help'], {});
    for (const { usage } of Object.values(COMMANDS)) expect(all.stdout).toContain(usage);
    const keys = await run(['help', 'keys'], {});
    expect(keys.stdout).toContain('keys add');
    expect(keys.stdout).not.toContain('serve [');
  });

  it('prints the version', async () => {
    expect((await run(['--version'], {})).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
