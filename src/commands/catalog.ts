/** Every command: how it is called, what it does in a line, and where it is. */

import type { Command } from './command.ts';

export interface Entry {
  readonly usage: string;
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

export const COMMANDS: Readonly<Record<string, Entry>> = {
  serve: {
    usage: 'serve [--http]',
    summary: 'MCP server on stdio, also what runs without a command; or over HTTP',
    load: () => import('./serve.ts'),
  },
  dashboard: {
    usage: 'dashboard [--port NUMBER] [--no-open]',
    summary: 'the page to see and manage keys; serves it where no server runs',
    load: () => import('./dashboard.ts'),
  },
  demo: {
    usage: 'demo [--json]',
    summary: 'the main job, seen working; no key, no network',
    load: () => import('./demo.ts'),
  },
  init: {
    usage: 'init',
    summary: 'make the home folder, a master key and an empty key store',
    load: () => import('./init.ts'),
  },
  'keys add': {
    usage: 'keys add NAME [--account LABEL]',
    summary: 'add or replace a key; the value comes from a hidden prompt or stdin',
    load: () => import('./keys/add.ts'),
  },
  'keys import': {
    usage: 'keys import FILE|- [--dry-run] [--yes]',
    summary: 'add the keys of a settings file, an export or a note',
    load: () => import('./keys/import.ts'),
  },
  'keys list': {
    usage: 'keys list [--json]',
    summary: 'names and key ids, never a value',
    load: () => import('./keys/list.ts'),
  },
  'keys show': {
    usage: 'keys show NAME [--json]',
    summary: 'everything about a key but its value',
    load: () => import('./keys/show.ts'),
  },
  'keys rename': {
    usage: 'keys rename OLD NEW',
    summary: 'give a key another name',
    load: () => import('./keys/rename.ts'),
  },
  'keys remove': {
    usage: 'keys remove NAME',
    summary: 'take a key out of the store',
    load: () => import('./keys/remove.ts'),
  },
  'keys verify': {
    usage: 'keys verify [NAME] [--json]',
    summary: 'ask the providers whether the keys work',
    load: () => import('./keys/verify.ts'),
  },
  'keys rotate-master': {
    usage: 'keys rotate-master',
    summary: 'a new master key for every store of the home folder',
    load: () => import('./keys/rotate-master.ts'),
  },
  'keys migrate': {
    usage: 'keys migrate',
    summary: 'rewrite a legacy Fernet file as a v2 store',
    load: () => import('./keys/migrate.ts'),
  },
  'keys export': {
    usage: 'keys export --format fernet [--out FILE]',
    summary: 'the keys as a flat Fernet file for other programs',
    load: () => import('./keys/export.ts'),
  },
  'clients add': {
    usage: 'clients add NAME',
    summary: 'a token for a client of serve --http that may call and not manage',
    load: () => import('./clients/add.ts'),
  },
  'clients list': {
    usage: 'clients list [--json]',
    summary: 'who has such a token, and who called when',
    load: () => import('./clients/list.ts'),
  },
  'clients remove': {
    usage: 'clients remove NAME',
    summary: 'take a token back',
    load: () => import('./clients/remove.ts'),
  },
  doctor: {
    usage: 'doctor [--json]',
    summary: 'find what keeps this program from working',
    load: () => import('./doctor.ts'),
  },
  batch: {
    usage: 'batch FILE.jsonl --out OUT.jsonl',
    summary: 'run a file of tasks through the whole pool, resumable',
    load: () => import('./batch.ts'),
  },
  usage: {
    usage: 'usage [--by WHAT] [--since DAY] [--until DAY] [--json | --csv]',
    summary: 'what the calls cost, by day, key, model, client, …',
    load: () => import('./usage.ts'),
  },
  'budget set': {
    usage: 'budget set AMOUNT/PERIOD [--account NAME | --client NAME]',
    summary: 'cap what may be spent: 5/day, 40/month, 1/session',
    load: () => import('./budget/set.ts'),
  },
  'budget list': {
    usage: 'budget list [--json]',
    summary: 'what may be spent, and what is',
    load: () => import('./budget/list.ts'),
  },
  'budget remove': {
    usage: 'budget remove PERIOD [--account NAME | --client NAME]',
    summary: 'take a cap away',
    load: () => import('./budget/remove.ts'),
  },
  install: {
    usage: 'install CLIENT [--print]',
    summary: "enter this server into an AI client's own file",
    load: () => import('./install.ts'),
  },
  uninstall: {
    usage: 'uninstall CLIENT',
    summary: 'take it out again',
    load: () => import('./uninstall.ts'),
  },
};
