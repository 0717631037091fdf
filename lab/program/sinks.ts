/** Places other than stdio where the program puts things out: its commands, its HTTP side. */

import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { canarySecret, folderSinks, processSinks, type Sink } from '../canary.ts';
import { until } from '../until.ts';
import { Program, run } from './program.ts';
import { callTool } from './test-client.ts';
import type { Home, KeyEntry } from './test-home.ts';

/** What the commands print and write about the keys, and about keys in the wrong places. */
export async function commandSinks(home: Home, keys: readonly KeyEntry[]): Promise<Sink[]> {
  const secret = keys[0]?.secret ?? '';
  const importFile = join(home.tmp, 'import.env');
  writeFileSync(importFile, `DEEPSEEK_API_KEY=${secret}\nDeepSeek API 3: ${secret}x\n${secret}\n`);
  const commands = [
    ['keys', 'import', importFile, '--dry-run'],
    ['keys', 'import', importFile],
    ['keys', 'export', '--format', 'fernet', '--out', join(home.folder, 'exported.json')],
    ['keys', 'rotate-master'],
    ['keys', 'list'],
    ['keys', 'list', '--json'],
    ['keys', 'verify'],
    ['doctor', '--json'],
    // Refused, and not repeated.
    ['keys', 'add', secret],
    ['keys', 'remove', secret],
    ['keys', 'add', 'DEEPSEEK_API_KEY_9', secret],
    ['serve', `--store=${secret}`, `--${secret}`],
    [secret],
  ];
  const sinks: Sink[] = [];
  for (const args of commands) {
    const { stdout, stderr } = await run(args, home.env);
    const label = args.join(' ').replaceAll(secret, 'KEY').replaceAll(dirname(home.tmp), '…');
    sinks.push({ name: `output of ${label}`, content: `${stdout}\n${stderr}` });
  }
  rmSync(importFile);
  return [...sinks, ...folderSinks('home', home.folder), ...folderSinks('tmp', home.tmp)];
}

/** Requests to every route, good and bad; KEY stands for a key, NEW for one that is added. */
const REQUESTS: ReadonlyArray<readonly [string, string, unknown?]> = [
  ['GET', '/healthz'],
  ['GET', '/dashboard'],
  ['GET', '/api/keys'],
  ['POST', '/api/keys', { name: 'DEEPSEEK_API_KEY_7', value: 'NEW' }],
  ['POST', '/api/keys', { name: 'NEW', value: 'NEW' }],
  ['POST', '/api/keys', { name: 'DEEPSEEK_API_KEY_8', value: 'NEW\n' }],
  ['POST', '/api/keys', { name: 'DEEPSEEK_API_KEY_8', value: 'NEW', NEW: 1 }],
  ['POST', '/api/keys/import', { text: 'DEEPSEEK_API_KEY_8=NEW\nNEW' }],
  ['POST', '/api/keys/DEEPSEEK_API_KEY/verify', {}],
  ['POST', '/api/keys/DEEPSEEK_API_KEY_7/verify', {}],
  ['POST', '/api/keys/PERPLEXITY_API_KEY/verify', {}],
  ['DELETE', '/api/keys/KEY'],
  ['GET', '/KEY?key=KEY'],
  ['GET', '/api/status'],
  ['GET', '/api/history'],
  ['GET', '/metrics'],
];

async function toolCalls(url: string, token: string): Promise<Sink> {
  const client = new Client({ name: 'test-client', version: '1.0.0' });
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', url), { requestInit }));
  const results = [
    await callTool(client, 'deepseek_generate_code', { prompt: 'Write a slug function.' }),
    await callTool(client, 'perplexity_search', { query: 'node streams' }),
    await client.readResource({ uri: 'keypool://status' }),
  ];
  await client.close();
  return { name: 'tool results over HTTP', content: JSON.stringify(results) };
}

async function fetchSink(
  url: string,
  token: string,
  words: Readonly<Record<string, string>>,
  [method, path, body]: readonly [string, string, unknown?],
): Promise<Sink> {
  const fill = (text: string): string =>
    text.replace(/\b(?:KEY|NEW)\b/g, (word) => words[word] ?? word);
  const response = await fetch(url + fill(path), {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: fill(JSON.stringify(body)) }),
  });
  const headers = [...response.headers].map((header) => header.join(': ')).join('\n');
  const content = `${response.status}\n${headers}\n${await response.text()}`;
  return { name: `HTTP ${method} ${path}`, content };
}

export interface HttpSinks {
  readonly sinks: Sink[];
  /** Secrets that were used besides the keys: the token, and a key that was added. */
  readonly secrets: string[];
  /** Status lines of the answers, to see that the routes were really there. */
  readonly statuses: ReadonlyMap<string, string>;
}

/** What `serve --http` answers, logs and leaves in its process. */
export async function httpSinks(home: Home, keys: readonly KeyEntry[]): Promise<HttpSinks> {
  const token = canarySecret('fake-token');
  const words = { KEY: keys[0]?.secret ?? '', NEW: canarySecret('sk-fake') };
  const program = new Program({
    args: ['serve', '--http', '--port', '0'],
    env: { ...home.env, KEYPOOL_HTTP_TOKEN: token },
  });
  const address = /http:\/\/127\.0\.0\.1:\d+/;
  try {
    await until('the HTTP server listens', () => address.test(program.stderr), 30_000);
    const url = address.exec(program.stderr)?.[0] ?? '';
    const tools = await toolCalls(url, token);
    const answers: Sink[] = [];
    for (const request of REQUESTS) answers.push(await fetchSink(url, token, words, request));
    answers.push(await fetchSink(url, words.KEY, words, ['GET', '/api/keys']));
    // Its environment holds the token that this test put there; its command line holds nothing.
    const running = processSinks(program.pid).filter((sink) => sink.name.endsWith('cmdline'));
    program.kill();
    await program.exit;
    const sinks = [
      tools,
      ...answers,
      ...running,
      { name: 'stdout of serve --http', content: program.stdout },
      { name: 'stderr of serve --http', content: program.stderr },
    ];
    const statuses = new Map(
      answers.map(({ name, content }) => [name, content.toString().split('\n', 1)[0] ?? '']),
    );
    return { sinks, secrets: [token, words.NEW], statuses };
  } finally {
    program.kill('SIGKILL');
  }
}
