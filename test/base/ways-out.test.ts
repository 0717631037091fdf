import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));

/** Each of them writes what passed the redactor, or what is encrypted. */
const WRITERS = [
  'base/logger.ts',
  'cli.ts', // one sentence to an old Node, before anything of ours can be loaded
  'commands/batch.ts', // hands the terminal to the progress line, which holds numbers
  'commands/command.ts',
  'commands/keys/export.ts', // an encrypted file
  'commands/serve.ts', // hands stdout to the writer of lines
  'commands/usage.ts', // asks whether it is a terminal
  'main.ts', // asks whether everything is out
  'mcp/stdio/stdio.ts', // asks whether it is the process's own
];

const WRITE = /process\.(?:stdout|stderr)(?:\.write\(|[,)])|console\.\w+\(/;

describe('the ways out of the program', () => {
  it('are few: nobody else writes to a stream of the process', () => {
    const found = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !/^(?:simulator|packaging|http\/page)\//.test(path))
      .filter((path) =>
        readFileSync(join(SRC, path), 'utf8')
          .split('\n')
          .some((line) => WRITE.test(line) && !/^\s*(?:\/\/|\*)/.test(line)),
      );
    expect(found.sort()).toEqual(WRITERS);
  });
});
