/** `batch`: a file of tasks through the whole pool, resumable. */

import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  BudgetError,
  CommandError,
  ConfigError,
  isAbort,
  PoolExhaustedError,
  UpstreamError,
} from '../base/errors.ts';
import { createLogger, type Logger } from '../base/logger.ts';
import { claimProcess } from '../base/system/process-output.ts';
import { onEndingSignal } from '../base/system/signals.ts';
import { KeyTally } from '../batch/key-tally.ts';
import { type Gate, PeakHours } from '../batch/off-peak.ts';
import { duration, showProgress } from '../batch/progress-line.ts';
import { ResultsFile } from '../batch/results-file.ts';
import { RunCost } from '../batch/run-cost.ts';
import { type Load, runTasks } from '../batch/run-tasks.ts';
import type { TaskId } from '../batch/task-lines.ts';
import { type CheckArguments, checkTasks, readTasks, type Task } from '../batch/tasks.ts';
import { loadConfig } from '../config.ts';
import { type FileLock, withFileLock } from '../disk/file-lock.ts';
import { resolveLinks } from '../disk/links.ts';
import { parseArguments } from '../tools/arguments.ts';
import { deepseekGenerateCode } from '../tools/deepseek-generate-code.ts';
import type { Tool } from '../tools/tool.ts';
import type { Budget } from '../usage/budgets/budget.ts';
import { gateOf, runBudgetOf, SPENDING_OPTIONS } from './batch/spending-flags.ts';
import { type Command, type CommandInput, print, secrets, tell } from './command.ts';
import { composeRuntime } from './composition/compose.ts';
import { useConfiguration } from './composition/keys/known-secrets.ts';
import type { Runtime } from './composition/runtime.ts';

const TOOL: Tool = deepseekGenerateCode;

/** Ceiling of tasks held at once, whatever the pool can take. */
const MOST_AT_ONCE = 4_096;

const checkArguments: CheckArguments = (raw) => parseArguments(TOOL, raw);

async function taskFile(path: string, out: string): Promise<void> {
  const status = await stat(path).catch(() => null);
  if (status?.isFile() !== true) {
    throw new CommandError(`${path} is not a file that can be read`, {
      hint: 'give a file of JSON lines; it is read twice, so a pipe does not do',
    });
  }
  const outStatus = await stat(out).catch(() => null);
  if (outStatus !== null && outStatus.ino === status.ino && outStatus.dev === status.dev) {
    throw new ConfigError('tasks and results are the same file', {
      hint: 'name another file with --out',
    });
  }
}

/** The line of a task that failed; null when the failure stops the whole batch. */
function failureOf(id: TaskId, error: unknown): Readonly<Record<string, unknown>> | null {
  if (error instanceof UpstreamError) {
    const { kind, status } = error.failure;
    return { id, error: { code: kind, status, message: error.message, hint: error.hint } };
  }
  const canWait =
    error instanceof PoolExhaustedError &&
    error.code !== 'POOL_NO_KEYS' &&
    error.code !== 'POOL_NO_CREDENTIALS';
  if (!canWait) return null;
  return {
    id,
    error: { code: error.code, status: null, message: error.message, hint: error.hint },
  };
}

function loadOf(runtime: Runtime): Load {
  const deepseek = runtime.snapshot().providers.find(({ provider }) => provider === 'deepseek');
  return {
    inFlight: deepseek?.keys.reduce((sum, key) => sum + key.inFlight, 0) ?? 0,
    queued: deepseek?.queueDepth ?? 0,
  };
}

/** Counts of this run, for the progress line and the summary. */
class Counts {
  readonly startedAt = performance.now();
  finished = 0;
  failed = 0;
  /** There is no money for more: what runs is finished, nothing else is begun. */
  halted: BudgetError | null = null;

  get elapsedMs(): number {
    return performance.now() - this.startedAt;
  }
}

/** Does it again, as often as a peak comes between. */
async function outsidePeaks<T>(
  gate: Gate,
  signal: AbortSignal,
  action: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof PeakHours)) throw error;
      await gate.open(signal);
    }
  }
}

async function runTask(
  task: Task,
  signal: AbortSignal,
  runtime: Runtime,
  results: ResultsFile,
  counts: Counts,
  gate: Gate,
): Promise<void> {
  const { deepseek, perplexity } = runtime;
  const context = {
    deepseek,
    perplexity,
    signal,
    session: 'batch',
    priority: 'batch' as const,
    tool: TOOL.name,
    client: 'batch',
    onProgress: () => {},
  };
  let record: Readonly<Record<string, unknown>>;
  let hasFailed = false;
  try {
    const { structured } = await outsidePeaks(gate, signal, () => TOOL.run(task.args, context));
    record = { id: task.id, ...structured };
  } catch (error) {
    if (error instanceof BudgetError) {
      counts.halted ??= error;
      return;
    }
    const failure = signal.aborted || isAbort(error) ? null : failureOf(task.id, error);
    if (failure === null) throw error;
    record = failure;
    hasFailed = true;
  }
  await results.append(record);
  counts.finished++;
  if (hasFailed) counts.failed++;
}

async function* pending(
  path: string,
  done: ReadonlySet<string>,
  open: () => Promise<boolean>,
): AsyncGenerator<Task> {
  for await (const task of readTasks(path, checkArguments)) {
    if (done.has(String(task.id))) continue;
    if (!(await open())) return;
    yield task;
  }
}

/** Aborts on a crash and on the first signal; the second ends the process the usual way. */
function stopOnSignals(logger: Logger): {
  signal: AbortSignal;
  code: () => number | null;
  release: () => void;
} {
  const controller = new AbortController();
  let code: number | null = null;
  // What is finished is in the file; the same command goes on from there.
  claimProcess(logger, () => {
    code = 1;
    controller.abort();
  });
  const release = onEndingSignal((exitCode) => {
    code = exitCode;
    release();
    controller.abort();
  });
  return { signal: controller.signal, code: () => code, release };
}

/** How many tasks there are, and how many had a result before this run. */
interface Plan {
  readonly total: number;
  readonly before: number;
}

function summarize(
  { total, before }: Plan,
  counts: Counts,
  tally: KeyTally,
  cost: readonly string[],
): void {
  const parts = [
    `${counts.finished - counts.failed} done`,
    `${counts.failed} failed`,
    ...(before > 0 ? [`${before} done before`] : []),
    `${total} in all`,
    duration(counts.elapsedMs),
  ];
  print(parts.join(', '));
  for (const line of [...cost, ...tally.lines()]) print(line);
  if (counts.failed > 0) tell('the same command tries again what failed');
}

/** The home's budgets have commands of their own to raise them. */
function ofThisRun(error: BudgetError, budget: Budget | null): BudgetError {
  if (budget === null) return error;
  return new BudgetError(error.message, {
    cause: error,
    hint: 'the same command goes on from here, with a larger --budget or when there is money again',
  });
}

interface Running {
  readonly path: string;
  readonly plan: Plan;
  readonly results: ResultsFile;
  readonly runtime: Runtime;
  readonly gate: Gate;
  readonly counts: Counts;
  readonly signal: AbortSignal;
}

/** Runs what is left to do, under a progress line. */
async function runPending(running: Running): Promise<void> {
  const { path, plan, results, runtime, gate, counts, signal } = running;
  const hide = showProgress(process.stderr, () => ({
    ...plan,
    finished: counts.finished,
    failed: counts.failed,
    elapsedMs: counts.elapsedMs,
  }));
  try {
    await runTasks({
      tasks: pending(path, results.earlier.done, async () => {
        await gate.open(signal);
        return counts.halted === null;
      }),
      run: (task, taskSignal) => runTask(task, taskSignal, runtime, results, counts, gate),
      load: () => loadOf(runtime),
      signal,
      most: MOST_AT_ONCE,
    });
  } finally {
    hide();
  }
}

async function work(
  path: string,
  plan: Plan,
  results: ResultsFile,
  input: CommandInput,
): Promise<number> {
  const { flags, env } = input;
  const config = loadConfig(flags, env);
  const redactor = secrets;
  useConfiguration(redactor, config);
  // The progress line tells a person what the log would tell a machine.
  const level = flags.logLevel === undefined ? 'error' : config.logLevel;
  const tally = new KeyTally();
  const cost = new RunCost();
  const gate = await gateOf(input, config);
  const budget = runBudgetOf(input.values.budget);
  const logger = createLogger({ level, redactor });
  const runtime = await composeRuntime({
    title: 'batch',
    flags,
    env,
    config,
    logger,
    redactor,
    observer: tally,
    budgets: budget === null ? [] : [budget],
    beforeSending: () => gate.check(),
    onSpent: (entry) => cost.add(entry),
    // Nobody reads the results while they are made.
    onAlert: (sentence) => tell(sentence),
  });
  const stop = stopOnSignals(logger);
  const counts = new Counts();
  try {
    await runtime.ready();
    await runPending({ path, plan, results, runtime, gate, counts, signal: stop.signal });
    await runtime.readBalances();
  } catch (error) {
    if (stop.code() === null) throw error;
    tell('stopped; the same command goes on from here');
  } finally {
    stop.release();
    await runtime.close();
  }
  const costLines = cost.lines((await runtime.prices()).table, input.values['off-peak'] === true);
  summarize(plan, counts, tally, costLines);
  if (counts.halted !== null) throw ofThisRun(counts.halted, budget);
  return stop.code() ?? (counts.failed > 0 ? 1 : 0);
}

async function run(input: CommandInput): Promise<number> {
  const { positionals, values } = input;
  const path = resolve(positionals[0] ?? '');
  if (typeof values.out !== 'string' || values.out === '') {
    throw new ConfigError('--out is missing', {
      hint: 'name the file for the results: --out OUT.jsonl',
    });
  }
  const out = resolve(values.out);
  await taskFile(path, out);
  const ids = await checkTasks(path, checkArguments);
  const file = await resolveLinks(out);
  // Two runs on one file would pay for every task twice.
  return withFileLock(file, (lock) => fill(file, lock, path, ids, input), 0);
}

async function fill(
  out: string,
  lock: FileLock,
  path: string,
  ids: ReadonlySet<string>,
  input: CommandInput,
): Promise<number> {
  const redact = (text: string): string => secrets.redact(text);
  const results = await ResultsFile.open(out, { lock, redact });
  try {
    const before = [...ids].filter((id) => results.earlier.done.has(id)).length;
    if (results.earlier.isTorn)
      tell('the last line of the results was torn; its task is done again');
    if (before === ids.size) {
      print(`${ids.size} done before, nothing to do`);
      return 0;
    }
    return await work(path, { total: ids.size, before }, results, input);
  } finally {
    await results.close();
  }
}

export const command: Command = {
  help: `Runs every task of FILE through the whole pool in parallel and appends each result to OUT as soon as
it is there. FILE holds one task a line: {"id": "1", "prompt": "…", "language": "…"} with any argument
of the tool deepseek_generate_code. A result line holds the id and the tool's result; a task that
failed has an "error" with code, message and hint instead.

The same command again goes on where an earlier run ended, for whatever reason: ids that have a
result in OUT are skipped, a torn last line and failed tasks are done again. FILE is checked as a
whole before anything is sent. Progress goes to stderr, the summary to stdout.

Exit code: 0 when every task has a result, 1 when some failed, 130 after Ctrl-C.`,
  options: {
    out: { type: 'string', value: 'OUT', about: 'the file of results', isRequired: true },
    ...SPENDING_OPTIONS,
  },
  arguments: [{ name: 'FILE', isFile: true }],
  run,
};
