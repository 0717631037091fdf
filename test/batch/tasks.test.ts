import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../lab/store.ts';
import { readTaskLines } from '../../src/batch/task-lines.ts';
import { checkTasks, readTasks } from '../../src/batch/tasks.ts';
import { parseArguments } from '../../src/tools/arguments.ts';
import { deepseekGenerateCode } from '../../src/tools/deepseek-generate-code.ts';

const check = (raw: unknown) => parseArguments(deepseekGenerateCode, raw);

function fileOf(text: string | Buffer): string {
  const path = join(temporaryFolder(), 'tasks.jsonl');
  writeFileSync(path, text);
  return path;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function problem(text: string | Buffer): Promise<string> {
  try {
    await checkTasks(fileOf(text), check);
  } catch (error) {
    if (error instanceof Error) return error.message.replace(/^.*nothing was sent: /, '');
  }
  throw new Error('nothing was refused');
}

describe('a file of tasks', () => {
  it('is read line by line, whatever stands in the strings and at the ends', async () => {
    const prompts = ['one\u2028two', 'drei äöü 🎈', 'x'.repeat(200_000)];
    const lines = prompts.map((prompt, id) => JSON.stringify({ id, prompt }));
    const path = fileOf(`\uFEFF${lines[0]}\r\n\n${lines[1]}\n${lines[2]}`);
    expect([...(await checkTasks(path, check))]).toEqual(['0', '1', '2']);
    const tasks = await collect(readTasks(path, check));
    expect(tasks.map(({ args }) => args)).toMatchObject(prompts.map((prompt) => ({ prompt })));
  });

  it('may be empty', async () => {
    expect((await checkTasks(fileOf('\n\n'), check)).size).toBe(0);
  });

  it.each([
    ['{"prompt": "x"}', 'line 1: has no id'],
    ['{"id": null, "prompt": "x"}', 'line 1: has an id that is no text and no whole number'],
    ['{"id": 1.5, "prompt": "x"}', 'line 1: has an id that is no text and no whole number'],
    ['{"id": "a", "prompt": "x"}\n{"id": "a", "prompt": "y"}', 'line 2: has the id of line 1'],
    ['{"id": 1, "prompt": "x"}\n{"id": "1", "prompt": "y"}', 'line 2: has the id of line 1'],
    ['{"id": "a"', 'line 1: is not a JSON object on one line'],
    ['["a"]', 'line 1: is not a JSON object on one line'],
    ['{"id": "a"}', 'line 1: prompt is missing'],
    ['{"id": "a", "prompt": ""}', 'line 1: prompt is empty; it takes 1 to 400,000 characters'],
    ['{"id": "a", "prompt": "x", "temperature": 3}', 'line 1: temperature has to be at most 2'],
  ])('with %s is refused', async (text, expected) => {
    expect(await problem(text)).toBe(expected);
  });

  it('names an unknown argument, and nothing that could be a secret', async () => {
    expect(await problem('{"id": 1, "prompt": "x", "langauge": "go"}')).toContain('langauge');
    const text =
      '{"id": 1, "prompt": "x", "sk-test-1234567890abcdef": 1}\nsk-test-1234567890abcdef';
    expect(await problem(text)).not.toContain('1234567890');
  });

  it('tells the first ten problems and counts the others', async () => {
    const message = await problem('{}\n'.repeat(25));
    expect(message.match(/line \d+/g)).toHaveLength(10);
    expect(message).toMatch(/and 15 more$/);
  });

  it('in another encoding is refused', async () => {
    expect(await problem(Buffer.from([0x7b, 0xff, 0xfe, 0x7d]))).toBe('line 1: is not UTF-8');
  });

  it('with a line that no task can have is refused before it is held in memory', async () => {
    const path = fileOf('x'.repeat(17 * 1024 * 1024));
    await expect(collect(readTaskLines(path))).rejects.toThrow(/longer than 16 MiB/);
  });
});
