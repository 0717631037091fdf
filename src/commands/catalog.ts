/** Every command: what it does in a line, and where it is. */

import type { CatalogEntry } from './command.ts';

export const COMMANDS: Readonly<Record<string, CatalogEntry>> = {
  serve: {
    summary: 'MCP server on stdio, also what runs without a command; or over HTTP',
    load: () => import('./serve.ts'),
  },
  dashboard: {
    summary: 'the page to see and manage keys; serves it where no server runs',
    load: () => import('./dashboard.ts'),
  },
  demo: {
    summary: 'the main job, seen working; no key, no network',
    load: () => import('./demo.ts'),
  },
  init: {
    summary: 'make the home folder, a master key and an empty key store',
    load: () => import('./init.ts'),
  },
  'keys add': {
    summary: 'add or replace a key; the value comes from a hidden prompt or stdin',
    load: () => import('./keys/add.ts'),
  },
  'keys import': {
    summary: 'add the keys of a settings file, an export or a note',
    load: () => import('./keys/import.ts'),
  },
  'keys list': {
    summary: 'names and key ids, never a value',
    load: () => import('./keys/list.ts'),
  },
  'keys show': {
    summary: 'everything about a key but its value',
    load: () => import('./keys/show.ts'),
  },
  'keys rename': {
    summary: 'give a key another name',
    load: () => import('./keys/rename.ts'),
  },
  'keys remove': {
    summary: 'take a key out of the store',
    load: () => import('./keys/remove.ts'),
  },
  'keys verify': {
    summary: 'ask the providers whether the keys work',
    load: () => import('./keys/verify.ts'),
  },
  'keys rotate-master': {
    summary: 'a new master key for every store of the home folder',
    load: () => import('./keys/rotate-master.ts'),
  },
  'keys migrate': {
    summary: 'rewrite a legacy Fernet file as a v2 store',
    load: () => import('./keys/migrate.ts'),
  },
  'keys export': {
    summary: 'the keys as a flat Fernet file for other programs',
    load: () => import('./keys/export.ts'),
  },
  'clients add': {
    summary: 'a token for a client of serve --http that may call and not manage',
    load: () => import('./clients/add.ts'),
  },
  'clients list': {
    summary: 'who has such a token, and who called when',
    load: () => import('./clients/list.ts'),
  },
  'clients remove': {
    summary: 'take a token back',
    load: () => import('./clients/remove.ts'),
  },
  doctor: {
    summary: 'find what keeps this program from working',
    load: () => import('./doctor.ts'),
  },
  batch: {
    summary: 'run a file of tasks through the whole pool, resumable',
    load: () => import('./batch.ts'),
  },
  usage: {
    summary: 'what the calls cost, by day, key, model, client, …',
    load: () => import('./usage.ts'),
  },
  'budget set': {
    summary: 'cap what may be spent: 5/day, 40/month, 1/session',
    load: () => import('./budget/set.ts'),
  },
  'budget list': {
    summary: 'what may be spent, and what is',
    load: () => import('./budget/list.ts'),
  },
  'budget remove': {
    summary: 'take a cap away',
    load: () => import('./budget/remove.ts'),
  },
  completion: {
    summary: 'a script that lets the shell complete commands and flags',
    load: () => import('./completion.ts'),
  },
  install: {
    summary: "enter this server into an AI client's own file",
    load: () => import('./install.ts'),
  },
  uninstall: {
    summary: 'take it out again',
    load: () => import('./uninstall.ts'),
  },
};
