/** The file of tasks: checked as a whole before anything is sent, then read again to be sent. */

import { CommandError } from '../base/errors.ts';
import type { Line } from '../disk/lines.ts';
import { idOf, lineObject, lineText, readTaskLines, type TaskId } from './task-lines.ts';

/** Judges the arguments of one task; `tools/arguments.ts` does it for a tool. */
export type CheckArguments = (
  raw: unknown,
) =>
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: string };

export interface Task {
  readonly id: TaskId;
  /** As the check returned them. */
  readonly args: unknown;
}

const SHOWN_PROBLEMS = 10;

type Parsed = Task | { readonly problem: string };

function parseTask(line: Line, check: CheckArguments): Parsed {
  const object = lineObject(line);
  if (object === null) {
    return {
      problem: lineText(line) === null ? 'is not UTF-8' : 'is not a JSON object on one line',
    };
  }
  const id = idOf(object);
  if (id === null) {
    return {
      problem: 'id' in object ? 'has an id that is no text and no whole number' : 'has no id',
    };
  }
  const { id: _, ...rest } = object;
  const checked = check(rest);
  return checked.ok ? { id, args: checked.value } : { problem: checked.problem };
}

function isBlank(line: Line): boolean {
  return lineText(line) === '';
}

/** Every task in the file's order. Problems were told by `checkTasks`. */
export async function* readTasks(path: string, check: CheckArguments): AsyncGenerator<Task> {
  for await (const line of readTaskLines(path)) {
    if (isBlank(line)) continue;
    const task = parseTask(line, check);
    if ('problem' in task) {
      throw new CommandError(`line ${line.number} of ${path} was changed while it was read`, {
        hint: 'run the command again',
      });
    }
    yield task;
  }
}

/**
 * Reads the whole file once and keeps its ids only.
 *
 * @returns the ids, as text
 * @throws CommandError naming the lines that are wrong; what they hold is never repeated
 */
export async function checkTasks(
  path: string,
  check: CheckArguments,
): Promise<ReadonlySet<string>> {
  const firstLines = new Map<string, number>();
  const problems: string[] = [];
  let count = 0;
  const report = (line: Line, problem: string): void => {
    count++;
    if (problems.length < SHOWN_PROBLEMS) problems.push(`line ${line.number}: ${problem}`);
  };
  for await (const line of readTaskLines(path)) {
    if (isBlank(line)) continue;
    const task = parseTask(line, check);
    if ('problem' in task) {
      report(line, task.problem);
      continue;
    }
    const key = String(task.id);
    const first = firstLines.get(key);
    if (first !== undefined) report(line, `has the id of line ${first}`);
    else firstLines.set(key, line.number);
  }
  if (count > 0) throw wrongTasks(path, problems, count);
  return new Set(firstLines.keys());
}

function wrongTasks(path: string, problems: readonly string[], count: number): CommandError {
  const more = count > problems.length ? [`and ${count - problems.length} more`] : [];
  const subject = count === 1 ? 'a line' : `${count} lines`;
  return new CommandError(
    `${subject} of ${path} cannot be used, nothing was sent: ${[...problems, ...more].join('; ')}`,
    {
      hint: 'one task a line: {"id": "1", "prompt": "…"} and any other argument of deepseek_generate_code',
    },
  );
}
