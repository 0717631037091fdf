/**
 * A faithful fake of DeepSeek and Perplexity on two loopback ports: every key behaves as it is
 * told, every failure can be scripted, every request is written down. Deterministic by seed.
 */

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { Account, type AccountSettings, type KeyBehaviour, SimulatedKey } from './behaviour.ts';
import type { BillLine } from './bill/purse.ts';
import type { CallRecord, OpenCall, SimulatedProvider, Violation } from './call-log.ts';
import { DEEPSEEK } from './deepseek/deepseek-side.ts';
import { FaultQueue, type FaultScript, type FaultStep } from './faults.ts';
import { PERPLEXITY } from './perplexity/perplexity-side.ts';
import type { ProviderSide, Route } from './provider-side.ts';
import { type Backstage, createListener } from './server.ts';

export type { AccountSettings, KeyBehaviour, RefusalWording } from './behaviour.ts';
export type { BillLine } from './bill/purse.ts';
export type { CallRecord, SimulatedProvider, Violation } from './call-log.ts';
export {
  DEEPSEEK_FAULTS,
  type DeepSeekFault,
  type FaultName,
  type FaultScript,
  type FaultStep,
  PERPLEXITY_FAULTS,
  type PerplexityFault,
} from './faults.ts';

export interface SimulatorOptions {
  readonly seed?: number;
  /** DeepSeek's port, Perplexity's is the next; 0 or absent: any free ones. */
  readonly port?: number;
  /** The wall clock that bills go by, epoch milliseconds; default the machine's. */
  readonly wallNow?: () => number;
}

export class Simulator {
  readonly deepseekUrl: string;
  readonly perplexityUrl: string;
  readonly #servers: readonly Server[];
  readonly #stage: Stage;

  constructor(stage: Stage, servers: readonly Server[], deepseek: string, perplexity: string) {
    this.#stage = stage;
    this.#servers = servers;
    this.deepseekUrl = deepseek;
    this.perplexityUrl = perplexity;
  }

  /** Every request so far, in order of arrival. */
  get calls(): readonly CallRecord[] {
    return this.#stage.calls;
  }

  /** What no client may ever send, as it was seen. */
  get violations(): readonly Violation[] {
    return this.#stage.violations;
  }

  addKey(secret: string, behaviour: KeyBehaviour): void {
    this.#stage.addKey(secret, behaviour);
  }

  /** Changes what is named; a fault script starts anew. @throws Error on an unknown key */
  setBehaviour(secret: string, partial: Partial<KeyBehaviour>): void {
    this.#stage.setBehaviour(secret, partial);
  }

  /** From now on the key is unknown, as after it was revoked. */
  removeKey(secret: string): void {
    this.#stage.keys.delete(secret);
  }

  /** An outage or the like: strikes every key of the provider, before the key's own script. */
  setProviderFaults(provider: SimulatedProvider, script: FaultScript): void {
    this.#stage.providerFaults.set(provider, new FaultQueue(script, this.#stage.now()));
  }

  setAccount(account: string, settings: AccountSettings): void {
    this.#stage.account(account).configure(settings);
  }

  /** Running requests of an account, of one model or of all; of every account without a name. */
  inFlight(account?: string, model?: string): number {
    const accounts =
      account === undefined ? this.#stage.accounts() : [this.#stage.account(account)];
    return accounts.reduce((sum, each) => sum + each.inFlight(model ?? null), 0);
  }

  /** What an account was billed, line by line; of all accounts without a name. */
  bill(account?: string): readonly BillLine[] {
    const accounts =
      account === undefined ? this.#stage.accounts() : [this.#stage.account(account)];
    return accounts.flatMap((each) => each.purse.lines);
  }

  /** Forgets calls, violations and faults; keys and accounts stay. */
  reset(): void {
    this.#stage.reset();
  }

  /** Drops every connection and frees both ports. */
  async close(): Promise<void> {
    await Promise.all(
      this.#servers.map(async (server) => {
        const closed = once(server, 'close');
        server.close();
        server.closeAllConnections();
        await closed;
      }),
    );
  }
}

/** The state behind both listeners. */
class Stage implements Backstage {
  readonly seed: number;
  readonly calls: OpenCall[] = [];
  readonly violations: Violation[] = [];
  readonly keys = new Map<string, SimulatedKey>();
  readonly providerFaults = new Map<SimulatedProvider, FaultQueue>();
  readonly #accounts = new Map<string, Account>();
  readonly #startedAt = performance.now();
  readonly wallNow: () => number;
  trapUrl = '';

  constructor(seed: number, wallNow: () => number) {
    this.seed = seed;
    this.wallNow = wallNow;
  }

  now(): number {
    return performance.now() - this.#startedAt;
  }

  addKey(secret: string, behaviour: KeyBehaviour): void {
    const key = new SimulatedKey(secret, behaviour, this.now());
    this.keys.set(secret, key);
    this.#configureAccount(key, behaviour);
  }

  setBehaviour(secret: string, partial: Partial<KeyBehaviour>): void {
    const key = this.keys.get(secret);
    if (key === undefined) throw new Error('the simulator does not know this key');
    key.change(partial, this.now());
    this.#configureAccount(key, partial);
  }

  #configureAccount(key: SimulatedKey, { capacity, balance }: Partial<KeyBehaviour>): void {
    this.accountOf(key).configure({
      ...(capacity === undefined ? {} : { capacity }),
      ...(balance === undefined ? {} : { balance }),
    });
  }

  account(name: string): Account {
    const account = this.#accounts.get(name) ?? new Account(name);
    this.#accounts.set(name, account);
    return account;
  }

  accounts(): readonly Account[] {
    return [...this.#accounts.values()];
  }

  accountOf(key: SimulatedKey): Account {
    return this.account(key.accountName);
  }

  findKey(side: ProviderSide, secret: string): SimulatedKey | null {
    const key = this.keys.get(secret);
    return key?.behaviour.provider === side.provider ? key : null;
  }

  nextFault(side: ProviderSide, key: SimulatedKey, path: string, route: Route): FaultStep | null {
    const now = this.now();
    const isLookup = route.kind === 'lookup';
    const outage = this.providerFaults.get(side.provider)?.next(path, isLookup, now);
    return outage ?? key.faults.next(path, isLookup, now);
  }

  openCall(call: OpenCall): void {
    this.calls.push(call);
  }

  violation(side: { readonly provider: SimulatedProvider }, path: string, what: string): void {
    this.violations.push({ at: this.now(), provider: side.provider, path, what });
  }

  reset(): void {
    this.calls.length = 0;
    this.violations.length = 0;
    this.providerFaults.clear();
    for (const key of this.keys.values()) key.change({ faults: [] }, this.now());
  }
}

/** Where redirects lead: whoever calls it has carried a key to another host. */
function createTrap(stage: Stage): Server {
  return createServer((request, response) => {
    const path = request.url ?? '/';
    const provider = path.startsWith('/perplexity/') ? 'perplexity' : 'deepseek';
    const hasKey = request.headers.authorization !== undefined;
    const what = `followed a redirect${hasKey ? ' and took the key along' : ''}`;
    stage.violation({ provider }, path, what);
    response.end();
  });
}

async function listen(server: Server, port: number): Promise<string> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return `http://127.0.0.1:${address.port}`;
}

/** Starts both upstreams on loopback. Close it when done. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { seed = 1, port = 0, wallNow = Date.now } = options;
  const stage = new Stage(seed, wallNow);
  const trap = createTrap(stage);
  const deepseek = createListener(DEEPSEEK, stage);
  const perplexity = createListener(PERPLEXITY, stage);
  stage.trapUrl = await listen(trap, 0);
  const deepseekUrl = await listen(deepseek, port);
  const perplexityUrl = await listen(perplexity, port === 0 ? 0 : port + 1);
  return new Simulator(stage, [deepseek, perplexity, trap], deepseekUrl, perplexityUrl);
}
