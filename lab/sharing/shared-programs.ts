/** Several of the built program on one home, as clients start them: one account, so many slots. */

import type { KeyBehaviour, RefusalStyle } from '../../src/simulator/behaviour.ts';
import type { CallRecord } from '../../src/simulator/call-log.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { canarySecret } from '../canary.ts';
import type { Variables } from '../program/program.ts';
import { readStatus, type ShownStatus } from '../program/shown-status.ts';
import { RawClient } from '../program/test-client.ts';
import { createHome, type Home, type KeyEntry } from '../program/test-home.ts';

export interface SharedHomeOptions {
  /** Of the one account of all keys. */
  readonly slots: number;
  readonly answerMs: number;
  readonly keys: ReadonlyArray<Partial<KeyBehaviour>>;
  readonly refusal?: RefusalStyle;
  readonly env?: Variables;
}

const NAMES = ['DEEPSEEK_API_KEY', 'DEEPSEEK_API_KEY_2', 'DEEPSEEK_API_KEY_3'];

export interface ToolEnd {
  readonly ok: boolean;
  readonly text: string;
  readonly key: string | null;
}

export class Assistant {
  readonly client: RawClient;
  done = 0;

  private constructor(client: RawClient) {
    this.client = client;
  }

  static async start(env: Variables): Promise<Assistant> {
    const assistant = new Assistant(new RawClient(env));
    await assistant.client.initialize();
    return assistant;
  }

  async call(prompt: string): Promise<ToolEnd> {
    const { result } = await this.client.callTool('deepseek_generate_code', { prompt });
    this.done += 1;
    const key = result?.structuredContent?.key;
    return {
      ok: result !== undefined && result.isError !== true,
      text: result?.content?.[0]?.text ?? '',
      key: typeof key === 'string' ? key : null,
    };
  }

  /** So many at once. */
  burst(count: number, what = 'burst'): Promise<ToolEnd[]> {
    return Promise.all(Array.from({ length: count }, (_, index) => this.call(`${what} ${index}`)));
  }

  /** One after the other. */
  async row(count: number, what = 'row'): Promise<ToolEnd[]> {
    const ends: ToolEnd[] = [];
    for (let index = 0; index < count; index++) ends.push(await this.call(`${what} ${index}`));
    return ends;
  }

  /** `keypool://status`. */
  status(): Promise<ShownStatus> {
    return readStatus(this.client);
  }

  async kill(): Promise<void> {
    this.client.program.kill('SIGKILL');
    await this.client.program.exit;
  }
}

export class SharedHome {
  readonly home: Home;
  readonly secrets: readonly string[];
  readonly #simulator: Simulator;
  readonly #assistants: Assistant[] = [];

  private constructor(home: Home, simulator: Simulator, secrets: readonly string[]) {
    this.home = home;
    this.#simulator = simulator;
    this.secrets = secrets;
  }

  static async create(simulator: Simulator, options: SharedHomeOptions): Promise<SharedHome> {
    const { slots, answerMs, refusal = {} } = options;
    const keys: KeyEntry[] = options.keys.map((behaviour, index) => {
      const secret = canarySecret();
      simulator.addKey(secret, {
        provider: 'deepseek',
        account: 'shared',
        ttftMs: answerMs,
        tokensPerSecond: 1_000_000,
        answerTokens: 20,
        jitter: 0.05,
        ...behaviour,
      });
      return { name: NAMES[index] ?? '', secret, account: behaviour.account ?? 'shared' };
    });
    simulator.setAccount('shared', { capacity: slots, refusal });
    const env = { KEYPOOL_LOG_LEVEL: 'info', ...options.env };
    const home = await createHome({ simulator, keys, env });
    return new SharedHome(
      home,
      simulator,
      keys.map(({ secret }) => secret),
    );
  }

  async assistant(env: Variables = {}): Promise<Assistant> {
    const assistant = await Assistant.start({ ...this.home.env, ...env });
    this.#assistants.push(assistant);
    return assistant;
  }

  /** Attempts at the upstream, checks of keys left out. */
  attempts(since = 0): CallRecord[] {
    return this.#simulator.calls.filter(({ method }) => method === 'POST').slice(since);
  }

  refusals(since = 0): number {
    return this.attempts(since).filter(({ status }) => status === 429).length;
  }

  async close(): Promise<void> {
    await Promise.all(this.#assistants.map((assistant) => assistant.kill()));
    this.home.remove();
  }
}
