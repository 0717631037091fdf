/**
 * What a client of the built program sees with several keys and not one label: closed-loop callers
 * over stdio, keys from the environment, the simulator as the upstream.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { RefusalWording, Simulator } from '../../src/simulator/simulator.ts';
import { canarySecret } from '../canary.ts';
import { RawClient } from '../program/test-client.ts';
import { createHome } from '../program/test-home.ts';

export interface UnlabelledCase {
  /** Account of each key. */
  readonly keys: readonly number[];
  /** Slots of each account. */
  readonly slots: readonly number[];
  readonly answerMs: number;
  readonly refusalMs: number;
  readonly wording: RefusalWording;
  readonly callers: number;
  readonly callsEach: number;
  /** Account labels, where the user told. */
  readonly labels?: boolean;
}

export interface UnlabelledResult {
  readonly calls: number;
  readonly failed: number;
  readonly refusals: number;
  /** In the second half of the run, per call. */
  readonly laterRefusalsPerCall: number;
  readonly refusalsPerCall: number;
  readonly slowestOverMedian: number;
  readonly makespanOverOptimum: number;
  /** Groups of keys that the status names as one account. */
  readonly found: readonly (readonly string[])[];
  readonly status: unknown;
  readonly stderr: string;
  readonly doctor: string;
}

function nameOf(index: number): string {
  return index === 0 ? 'DEEPSEEK_API_KEY' : `DEEPSEEK_API_KEY_${index + 1}`;
}

interface Ended {
  readonly at: number;
  readonly ms: number;
  readonly ok: boolean;
}

/** `callers` loops, each with its next call as soon as the last one ended. */
async function drive(client: RawClient, spec: UnlabelledCase): Promise<Ended[]> {
  const ended: Ended[] = [];
  const loop = async (caller: number): Promise<void> => {
    for (let call = 0; call < spec.callsEach; call++) {
      const from = performance.now();
      const prompt = `Write function ${caller} of file ${call}`;
      const answer = await client.callTool('deepseek_generate_code', { prompt });
      const ok = answer.result !== undefined && answer.result.isError !== true;
      const at = performance.now();
      ended.push({ at, ms: at - from, ok });
    }
  };
  await Promise.all(Array.from({ length: spec.callers }, (_, caller) => loop(caller)));
  return ended.sort((a, b) => a.at - b.at);
}

export async function runUnlabelled(
  simulator: Simulator,
  spec: UnlabelledCase,
  inspect: (env: Readonly<Record<string, string>>) => Promise<string> = async () => '',
): Promise<UnlabelledResult> {
  const variables: Record<string, string> = { KEYPOOL_LOG_LEVEL: 'warn' };
  for (const [index, account] of spec.keys.entries()) {
    const secret = canarySecret();
    variables[nameOf(index)] = secret;
    simulator.addKey(secret, {
      provider: 'deepseek',
      account: `account-${account}`,
      ttftMs: spec.answerMs,
      tokensPerSecond: 1_000_000,
      answerTokens: 20,
      jitter: 0.05,
    });
  }
  for (const [index, slots] of spec.slots.entries()) {
    const refusal = { wording: spec.wording, afterMs: spec.refusalMs };
    simulator.setAccount(`account-${index}`, { capacity: slots, refusal });
  }
  const home = await createHome({ simulator, env: variables });
  const client = new RawClient(home.env);
  try {
    await client.initialize();
    await delay(400);
    const from = performance.now();
    const ended = await drive(client, spec);
    const status = await client.request('resources/read', { uri: 'keypool://status' });
    const document = JSON.parse(status.result?.contents?.[0]?.text ?? 'null');
    await client.close();
    return {
      ...measure(simulator, spec, from, ended),
      status: document,
      found: foundIn(document),
      stderr: client.program.stderr,
      doctor: await inspect(home.env),
    };
  } finally {
    client.program.kill('SIGKILL');
    await client.program.exit;
    home.remove();
  }
}

function measure(
  simulator: Simulator,
  spec: UnlabelledCase,
  from: number,
  ended: readonly Ended[],
) {
  const calls = ended.length;
  const refused = simulator.calls.filter((call) => call.status === 429);
  const half =
    simulator.calls.find((_, index) => index >= simulator.calls.length / 2)?.startedAt ?? 0;
  const later = simulator.calls.filter((call) => call.startedAt >= half);
  const laterRefused = later.filter((call) => call.status === 429).length;
  const times = ended.map((each) => each.ms).sort((a, b) => a - b);
  const median = times[times.length >> 1] ?? 1;
  const slots = spec.slots.reduce((sum, each) => sum + each, 0);
  const optimumMs = Math.ceil(calls / slots) * spec.answerMs;
  return {
    calls,
    failed: ended.filter((each) => !each.ok).length,
    refusals: refused.length,
    refusalsPerCall: refused.length / calls,
    laterRefusalsPerCall: laterRefused / Math.max(1, later.length - laterRefused),
    slowestOverMedian: (times.at(-1) ?? 0) / median,
    makespanOverOptimum: ((ended.at(-1)?.at ?? from) - from) / optimumMs,
  };
}

function foundIn(document: unknown): string[][] {
  const [deepseek] = Object(document).providers ?? [];
  const accounts: ReadonlyArray<{ found?: boolean; keys?: string[] }> = deepseek?.accounts ?? [];
  return accounts.flatMap((account) => (account.found === true ? [account.keys ?? []] : []));
}
