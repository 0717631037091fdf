import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../lab/store.ts';
import { ResultsFile } from '../../src/batch/results-file.ts';
import { withFileLock } from '../../src/disk/file-lock.ts';
import { resolveLinks } from '../../src/disk/links.ts';

const asIs = (text: string): string => text;

function fileOf(text: string): string {
  const path = join(temporaryFolder(), 'out.jsonl');
  writeFileSync(path, text);
  return path;
}

/** As `batch` does it: links followed, the lock held while the file is open. */
async function withResults<T>(path: string, use: (results: ResultsFile) => Promise<T>): Promise<T> {
  const target = await resolveLinks(path);
  return withFileLock(target, async (lock) =>
    use(await ResultsFile.open(target, { lock, redact: asIs })),
  );
}

async function opened(path: string) {
  const earlier = await withResults(path, async (results) => {
    await results.close();
    return results.earlier;
  });
  return { ...earlier, done: [...earlier.done], text: readFileSync(path, 'utf8') };
}

describe('a file of results', () => {
  it('is made when it is not there', async () => {
    const path = join(temporaryFolder(), 'out.jsonl');
    expect(await opened(path)).toEqual({
      done: [],
      failed: 0,
      isTorn: false,
      needsRewrite: false,
      text: '',
    });
  });

  it('that is whole stays as it is', async () => {
    const text = '{"id":"a","code":"x"}\n{"id":2,"code":"y"}\n';
    const path = fileOf(text);
    const { ino } = statSync(path);
    expect(await opened(path)).toMatchObject({ done: ['a', '2'], text });
    expect(statSync(path).ino).toBe(ino);
  });

  it('loses a torn last line and the lines of what failed, and nothing else', async () => {
    const path = fileOf(
      '{"id":"a","code":"x"}\n{"id":"b","error":{"code":"idle"}}\n\n{"id":"c","code":"y"}\n{"id":"d","co',
    );
    chmodSync(path, 0o640);
    expect(await opened(path)).toMatchObject({
      done: ['a', 'c'],
      failed: 1,
      isTorn: true,
      text: '{"id":"a","code":"x"}\n{"id":"c","code":"y"}\n',
    });
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(readdirSync(dirname(path))).toEqual(['out.jsonl']);
  });

  it('whose last line lacks only its end keeps it', async () => {
    expect(await opened(fileOf('{"id":"a","code":"x"}'))).toMatchObject({
      done: ['a'],
      isTorn: false,
      text: '{"id":"a","code":"x"}\n',
    });
  });

  it('of another kind is refused and not touched', async () => {
    const path = fileOf('# notes\n{"id":"a","code":"x"}\n');
    await expect(opened(path)).rejects.toThrow(/line 1 of .* is no result of a batch/);
    expect(readFileSync(path, 'utf8')).toBe('# notes\n{"id":"a","code":"x"}\n');
  });

  it('is reached through a link', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'real'));
    const target = join(folder, 'real', 'out.jsonl');
    writeFileSync(target, '{"id":"a"');
    symlinkSync(target, join(folder, 'out.jsonl'));
    expect(await opened(join(folder, 'out.jsonl'))).toMatchObject({ isTorn: true, text: '' });
    expect(readFileSync(target, 'utf8')).toBe('');
  });

  it('that is a folder, or in no folder, is refused', async () => {
    await expect(opened(temporaryFolder())).rejects.toThrow(/not a file/);
    await expect(opened(join(temporaryFolder(), 'no', 'out'))).rejects.toThrow(/cannot write/);
  });

  it('holds whole lines in the order in which they came, however many at once', async () => {
    const path = join(temporaryFolder(), 'out.jsonl');
    const ids = Array.from({ length: 200 }, (_, index) => index);
    await withResults(path, async (results) => {
      await Promise.all(ids.map((id) => results.append({ id, code: 'x'.repeat(id * 50) })));
      await results.close();
    });
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).id)).toEqual(ids);
  });

  it('cut at any byte goes on with every result but the cut one', async () => {
    const whole = Array.from({ length: 5 }, (_, id) => `${JSON.stringify({ id, code: 'é🎈' })}\n`);
    const bytes = Buffer.from(whole.join(''));
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length), async (cut) => {
        const path = join(temporaryFolder(), 'out.jsonl');
        writeFileSync(path, bytes.subarray(0, cut));
        const { done, text } = await opened(path);
        const kept = whole.filter((_, index) => {
          const end = Buffer.byteLength(whole.slice(0, index + 1).join(''));
          // A line that lacks nothing but its line feed is whole.
          return cut >= end - 1;
        });
        expect(text).toBe(kept.join(''));
        expect(done).toEqual(kept.map((_, index) => String(index)));
      }),
      { numRuns: 60 },
    );
  });
});
