/**
 * Random faults, cancels and both tools through the built program, by the official client: every
 * answer is checked against what only its own prompt can have produced.
 */

import { seededRandom } from '../../src/simulator/random.ts';
import {
  type DeepSeekFault,
  type FaultName,
  type FaultScript,
  type PerplexityFault,
  type Simulator,
  startSimulator,
} from '../../src/simulator/simulator.ts';
import { canarySecret, findLeaks, folderSinks, processSinks } from '../canary.ts';
import {
  callTool,
  connect,
  connectModern,
  type ModernSession,
  noise,
  type Session,
  textOf,
} from '../program/test-client.ts';
import { createHome, type Home } from '../program/test-home.ts';
import { until } from '../until.ts';

export interface ChaosOptions {
  /** Which official client: SDK v1 with a handshake, or SDK v2 in the 2026 era. */
  readonly sdk: 'v1' | 'v2';
  readonly calls: number;
  readonly seed: number;
  /** Calls that run side by side. */
  readonly workers: number;
  /** Share of upstream requests that a fault strikes, 0..1. */
  readonly faultRate: number;
  /** Share of calls that the client cancels, 0..1. */
  readonly cancelRate: number;
  /** KEYPOOL_CALL_TIMEOUT_MS. */
  readonly deadlineMs: number;
}

export interface ChaosReport {
  readonly ok: number;
  /** `isError` results by their first words. */
  readonly errors: ReadonlyMap<string, number>;
  readonly cancelled: number;
  /** Calls whose answer came more than a second after the deadline, or never. */
  readonly late: string[];
  /** Answers that do not belong to their prompt, or are cut without saying so. */
  readonly wrong: string[];
  /** Lines on stdout that are no JSON-RPC. */
  readonly noise: string[];
  readonly leaks: string[];
  readonly searched: string[];
  readonly violations: string[];
  /** Upstream requests still running after the last call. */
  readonly leftRunning: number;
  readonly upstreamCalls: number;
  /** Upstream requests by the fault that struck them. */
  readonly faults: ReadonlyMap<string, number>;
  readonly exitCode: number | null;
  readonly seconds: number;
  readonly slowestMs: number;
}

/** Whatever an upstream does on a bad day that leaves its keys valid. */
export const DEEPSEEK_CHAOS: readonly DeepSeekFault[] = [
  'never_answers',
  'reset',
  'blank_then_ok',
  'blank_then_eof',
  'blank_then_reset',
  'keep_alive_between',
  'keep_alive_for_ever',
  'slow_body',
  'trailing_usage',
  'no_done',
  'cut',
  'reset_mid_content',
  'silent',
  'error_event',
  'insufficient_system_resource',
  'aborted',
  'broken_json',
  'html_200',
  'length_empty',
  'content_filter',
  'moderation',
  'echo_authorization',
  'invalid_422_text',
  'rate_limit',
  'retry_after',
  'server_error',
  'overloaded',
  'bad_gateway_html',
  'redirect',
];

const PERPLEXITY_CHAOS: readonly PerplexityFault[] = [
  'never_answers',
  'reset',
  'null_dates',
  'empty_snippet',
  'unknown_fields',
  'bad_filter',
  'echo_authorization',
  'invalid_422',
  'rate_limit',
  'retry_after',
  'server_error',
  'bad_gateway_html',
  'slow_body',
  'broken_json',
  'html_200',
  'redirect',
  'failed',
  'incomplete',
  'error_event',
  'cut',
  'reset_mid_content',
  'silent',
  'unknown_events',
  'keep_alive_between',
];

export function randomScript(
  random: () => number,
  faults: readonly FaultName[],
  rate: number,
  length: number,
): FaultScript {
  return Array.from({ length }, () => {
    const fault = faults[Math.floor(random() * faults.length)] ?? 'ok';
    return { fault: random() < rate ? fault : 'ok', delayMs: 30 };
  });
}

/** The only right answer to the prompt that carries `reference`: long, to be cut anywhere. */
export function expectedCode(reference: string): string {
  const lines = Array.from(
    { length: 40 },
    (_, at) => `export const line${at} = '${reference}-${(at * 2654435761) % 9973}-ä€😀';`,
  );
  return lines.join('\n');
}

function referenceOf(body: unknown): string {
  return /\bref:([a-z0-9-]+)/.exec(JSON.stringify(body))?.[1] ?? 'none';
}

/** The continuation asks with the same prompt, so one function of the body serves both. */
export function answer(body: unknown): string {
  return `Here it is.\n\n\`\`\`typescript\n${expectedCode(referenceOf(body))}\n\`\`\`\n`;
}

interface Stage {
  readonly simulator: Simulator;
  readonly home: Home;
  readonly secrets: readonly string[];
}

async function setStage(options: ChaosOptions): Promise<Stage> {
  const simulator = await startSimulator({ seed: options.seed });
  const random = seededRandom(options.seed);
  const keys = [
    { name: 'DEEPSEEK_API_KEY', account: 'north' },
    { name: 'DEEPSEEK_API_KEY_2', account: 'north' },
    { name: 'DEEPSEEK_API_KEY_3', account: 'south' },
    { name: 'DEEPSEEK_API_KEY_4', account: 'west' },
    { name: 'PERPLEXITY_API_KEY', account: 'east' },
    { name: 'PERPLEXITY_API_KEY_2', account: 'far-east' },
  ].map((key) => ({
    ...key,
    secret: canarySecret(key.name.startsWith('P') ? 'pplx-fake' : 'sk-fake'),
  }));
  for (const { name, account, secret } of keys) {
    const provider = name.startsWith('PERPLEXITY') ? 'perplexity' : 'deepseek';
    const faults = provider === 'deepseek' ? DEEPSEEK_CHAOS : PERPLEXITY_CHAOS;
    simulator.addKey(secret, {
      provider,
      account,
      jitter: 0.5,
      ttftMs: 10,
      faults: randomScript(random, faults, options.faultRate, options.calls * 4),
      ...(provider === 'deepseek' ? { answer } : {}),
    });
    simulator.setAccount(account, { capacity: 16, ratePerSecond: Infinity });
  }
  const home = await createHome({
    keys,
    simulator,
    env: {
      KEYPOOL_CALL_TIMEOUT_MS: String(options.deadlineMs),
      KEYPOOL_IDLE_TIMEOUT_MS: '1000',
      KEYPOOL_LOG_LEVEL: 'debug',
      // The openai package would print requests to stdout under this.
      OPENAI_LOG: 'debug',
    },
  });
  return { simulator, home, secrets: keys.map((key) => key.secret) };
}

class Tally {
  ok = 0;
  cancelled = 0;
  slowestMs = 0;
  readonly errors = new Map<string, number>();
  readonly late: string[] = [];
  readonly wrong: string[] = [];

  error(text: string): void {
    const kind = text.slice(0, 60);
    this.errors.set(kind, (this.errors.get(kind) ?? 0) + 1);
  }
}

interface Task {
  readonly reference: string;
  readonly tool: 'deepseek_generate_code' | 'perplexity_search';
  readonly args: Record<string, unknown>;
  readonly cancelAfterMs: number | null;
}

function makeTask(random: () => number, at: number, options: ChaosOptions): Task {
  const reference = `r${at}x${Math.floor(random() * 1e9).toString(36)}`;
  const cancelAfterMs = random() < options.cancelRate ? random() * 400 : null;
  const draw = random();
  if (draw < 0.6) {
    const prompt = `Write the constants in TypeScript. ref:${reference}`;
    const args = draw < 0.1 ? { prompt, thinking: 'low' } : { prompt };
    return { reference, tool: 'deepseek_generate_code', args, cancelAfterMs };
  }
  const query = `facts about ref:${reference}`;
  const args = draw < 0.8 ? { query, max_results: 3 } : { query, max_results: 3, answer: 'fast' };
  return { reference, tool: 'perplexity_search', args, cancelAfterMs };
}

/** What is wrong with a successful result, or null. */
function problemOf(task: Task, structured: Record<string, unknown>, text: string): string | null {
  const all = `${JSON.stringify(structured)} ${text}`;
  const foreign = (all.match(/\br\d+x[a-z0-9]+/g) ?? []).filter((ref) => ref !== task.reference);
  if (foreign.length > 0) return `holds ${foreign[0]} of another call`;
  if (task.tool === 'perplexity_search') {
    if (!all.includes(task.reference)) return 'does not hold its own reference';
    const hasAnswer = typeof structured.answer === 'string' && structured.answer !== '';
    return 'answer' in task.args && !hasAnswer ? 'has no answer' : null;
  }
  const expected = expectedCode(task.reference);
  if (structured.code === expected) return null;
  const isMarked = structured.truncated === true && expected.startsWith(String(structured.code));
  const { code, finish_reason: reason, truncated, attempts } = structured;
  return isMarked
    ? null
    : `code differs: ${String(code).length} of ${expected.length}, ${JSON.stringify({ reason, truncated, attempts })}`;
}

async function perform(
  session: Session | ModernSession,
  task: Task,
  options: ChaosOptions,
  tally: Tally,
): Promise<void> {
  const { deadlineMs } = options;
  const cancel = new AbortController();
  const timer =
    task.cancelAfterMs === null
      ? undefined
      : setTimeout(() => cancel.abort('changed my mind'), task.cancelAfterMs);
  const startedAt = performance.now();
  try {
    const result = await callTool(session.client, task.tool, task.args, {
      signal: cancel.signal,
      // Far beyond the deadline: a call that is never answered shows as late, not as cancelled.
      timeout: deadlineMs + 15_000,
      onprogress: () => undefined,
    });
    const text = textOf(result);
    if (result.isError === true) tally.error(text);
    else {
      const problem = problemOf(task, result.structuredContent ?? {}, text);
      if (problem === null) tally.ok += 1;
      else tally.wrong.push(`${task.tool} ${task.reference}: ${problem}`);
    }
  } catch (error) {
    if (cancel.signal.aborted) tally.cancelled += 1;
    else tally.late.push(`${task.tool} ${task.reference}: ${String(error).slice(0, 200)}`);
  } finally {
    clearTimeout(timer);
  }
  const tookMs = performance.now() - startedAt;
  tally.slowestMs = Math.max(tally.slowestMs, tookMs);
  if (tookMs > deadlineMs + 1_000) tally.late.push(`${task.reference}: ${Math.round(tookMs)} ms`);
}

function countBy(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const stage = await setStage(options);
  const { simulator, home } = stage;
  const startedAt = performance.now();
  try {
    const session = await (options.sdk === 'v1' ? connect(home.env) : connectModern(home.env));
    const random = seededRandom(options.seed ^ 0xca11);
    const tasks = Array.from({ length: options.calls }, (_, at) => makeTask(random, at, options));
    const tally = new Tally();
    const worker = async (): Promise<void> => {
      for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
        await perform(session, task, options, tally);
      }
    };
    await Promise.all(Array.from({ length: options.workers }, worker));
    const isIdle = (): boolean => simulator.inFlight() === 0;
    await until('upstream is idle', isIdle).catch(() => undefined);
    const leftRunning = simulator.inFlight();
    const process = processSinks(session.program.pid);
    await session.close();
    const { code } = await session.program.exit;
    const report = findLeaks(stage.secrets, [
      { name: 'stdout', content: session.program.stdout },
      { name: 'stderr', content: session.program.stderr },
      ...process,
      ...folderSinks('home', home.folder),
      ...folderSinks('tmp', home.tmp),
    ]);
    const storyOf = (line: string): string => {
      const reference = /r\d+x[a-z0-9]+/.exec(line)?.[0] ?? 'none';
      const calls = simulator.calls.filter((call) => referenceOf(call.body) === reference);
      return `${line}; upstream: ${calls.map((call) => `${call.path} ${call.fault}`).join(', ')}`;
    };
    return {
      ...tally,
      late: tally.late.map(storyOf),
      wrong: tally.wrong.map(storyOf),
      noise: noise(session.program.lines),
      leaks: report.leaks.map((leak) => `${leak.sink}: ${leak.form} at ${leak.at}`),
      searched: report.searched,
      violations: simulator.violations.map((each) => `${each.path}: ${each.what}`),
      leftRunning,
      upstreamCalls: simulator.calls.length,
      faults: countBy(simulator.calls.map((call) => call.fault)),
      exitCode: code,
      seconds: (performance.now() - startedAt) / 1000,
    };
  } finally {
    await simulator.close();
    home.remove();
  }
}
