import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { readByCommand } from '../../src/secrets/vault/master-command.ts';
import { splitWords } from '../../src/secrets/vault/split-words.ts';

describe('the words of a command', () => {
  it.each([
    ['op read op://Private/keypool/password', ['op', 'read', 'op://Private/keypool/password']],
    ['  a\t b  ', ['a', 'b']],
    [`"C:\\Program Files\\op.exe" 'a "b" c' d`, ['C:\\Program Files\\op.exe', 'a "b" c', 'd']],
    ['C:\\op.exe', ['C:\\op.exe']],
    ['"a \\"b\\" \\\\ \\n"', ['a "b" \\ \\n']],
    [`--name='two words'"!" ''`, ['--name=two words!', '']],
    ['$HOME ~ | > `x`', ['$HOME', '~', '|', '>', '`x`']],
    ['', []],
  ])('of %j are %j', (line, words) => {
    expect(splitWords(line)).toEqual(words);
  });

  it.each([`a 'b`, 'a "b', 'a "b\\"', `it's`])('are not told of an unclosed quote: %s', (line) => {
    expect(splitWords(line)).toBeNull();
  });

  it('are what was put between single quotes, whatever it is', () => {
    const word = fc.string().filter((text) => !text.includes("'"));
    const holds = fc.property(fc.array(word), (words) => {
      expect(splitWords(words.map((each) => `'${each}'`).join(' '))).toEqual(words);
    });
    fc.assert(holds);
  });
});

describe('a command that prints the master key', () => {
  it('is given up after 30 s, and ended', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const text = readByCommand('sleep 600', 'MASTER_ENCRYPTION_KEY_COMMAND', false);
      const refused = expect(text).rejects.toThrow('did not end within 30 s');
      await vi.advanceTimersByTimeAsync(30_000);
      await refused;
    } finally {
      vi.useRealTimers();
    }
  });

  it('is run once for as long as what it printed opens the store', async () => {
    const line = `${process.execPath} -p crypto.randomUUID()`;
    const first = await readByCommand(line, 'here', false);
    expect(await readByCommand(line, 'here', false)).toBe(first);
    expect(await readByCommand(line, 'here', true)).not.toBe(first);
  });

  it('loses its last newline alone', async () => {
    const line = `${process.execPath} -e "process.stdout.write(' a b \\\\r\\\\n')"`;
    expect(await readByCommand(line, 'here', false)).toBe(' a b ');
  });
});
