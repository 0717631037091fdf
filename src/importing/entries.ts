/** An entry of a password manager's export: taken where it is ours, never a web password. Pure. */

import { PROVIDER_NAMES, type Provider } from '../base/errors.ts';
import { FAMILIES } from '../base/keys/key-names.ts';
import { valueFitOf } from '../base/keys/key-values.ts';
import { assignsPoolKey } from './assignments.ts';
import { providerOfHost } from './clues/surroundings.ts';
import { prefixedTokens, secretTokens } from './clues/tokens.ts';
import { readWords, type Words } from './clues/words.ts';
import { leafText, type MapNode, plainKey, type TextNode, type TreeNode } from './formats/tree.ts';
import { type ImportFinding, left } from './import-finding.ts';
import { judgeLabelled, type Surroundings } from './judge.ts';
import { NotesReader } from './notes.ts';

const NAME = new Set(['name']);
const TITLES = /^(?:title|name|itemname|account)$/;
const ADDRESSES = /^(?:url|uri|urls|website|loginuri|websites|origin)$/;
const USERS = /^(?:username|user|login|loginusername|email|loginname)$/;
const PASSWORDS = /^(?:password|loginpassword|pass|credential)$/;
/** A column or a member of its own for keys. */
const KEYS = /key|token|secret/;
const TEXTS = /^(?:notes?|extra|comments?|fields|customfields|notesplain)$/;

interface Entry {
  readonly line: number;
  readonly title: string;
  readonly providers: ReadonlySet<Provider>;
  readonly namesOther: boolean;
  /** Its title says that it is out of use. */
  readonly isStale: boolean;
  readonly passwords: readonly TextNode[];
  readonly texts: readonly TextNode[];
  /** Custom fields: their name and value. */
  readonly fields: ReadonlyArray<{ readonly name: string; readonly text: TextNode }>;
}

/** Every text below a node, under the nearest name. */
function* textsBelow(node: TreeNode, key: string): Generator<readonly [string, TextNode]> {
  if (node.kind === 'text') yield [plainKey(key), node];
  else if (node.kind === 'list') for (const item of node.items) yield* textsBelow(item, key);
  else if (node.kind === 'map') {
    for (const { key: inner, node: item } of node.members) {
      if (plainKey(inner) !== 'fields') yield* textsBelow(item, inner);
      else if (item.kind === 'text') yield ['fields', item];
    }
  }
}

/** Columns for keys that somebody added, and the fields of a program. */
function customFields(map: MapNode): Array<{ name: string; text: TextNode }> {
  const columns = map.members.flatMap(({ key, node }) =>
    node.kind === 'text' && KEYS.test(plainKey(key)) ? [{ name: key, text: node }] : [],
  );
  const list = map.members.find(({ key }) => plainKey(key) === 'fields')?.node;
  if (list?.kind !== 'list') return columns;
  const fields = list.items.flatMap((item) => {
    const texts = [...textsBelow(item, '')];
    const name = texts.find(([key]) => ['name', 'label', 'title'].includes(key))?.[1].value ?? '';
    const text = texts.find(([key]) => key === 'value')?.[1];
    return text === undefined ? [] : [{ name, text }];
  });
  return [...columns, ...fields];
}

/** Settings of a program have parts below them, an entry has none. */
function isFlat(map: MapNode): boolean {
  return map.members.every(({ node }) => node.kind !== 'map');
}

function listOf(map: MapNode, name: string): boolean {
  return map.members.some(({ key, node }) => plainKey(key) === name && node.kind === 'list');
}

/** Whether a map is an entry: two of a title, an address and a user beside a password. */
export function isEntry(map: MapNode): boolean {
  const keys = map.members.map(({ key }) => plainKey(key));
  const has = (pattern: RegExp): boolean => keys.some((key) => pattern.test(key));
  const mapOf = (name: string): MapNode | null => {
    const node = map.members.find(({ key }) => key === name)?.node;
    return node?.kind === 'map' ? node : null;
  };
  if (mapOf('login') !== null && has(TITLES)) return true;
  // Proton Pass.
  const [about, content] = [mapOf('metadata'), mapOf('content')];
  if (about !== null && leafText(about, NAME) !== null && content !== null && isFlat(content)) {
    return true;
  }
  // Enpass keeps the password among its fields.
  if (keys.includes('category') && listOf(map, 'fields') && has(TITLES)) return true;
  if (!has(PASSWORDS)) return false;
  // Firefox's entries have no title.
  const isUntitled = has(USERS) && has(ADDRESSES) && !has(KEYS) && isFlat(map);
  return isUntitled || (has(TITLES) && (has(USERS) || has(ADDRESSES)));
}

function hostOf(address: string): string {
  const text = address.includes('://') ? address : `https://${address}`;
  return URL.canParse(text) ? new URL(text).hostname : '';
}

function entryOf(map: MapNode): Entry {
  const texts = [...textsBelow(map, '')];
  const values = (pattern: RegExp): TextNode[] =>
    texts.flatMap(([key, text]) => (pattern.test(key) && text.value !== '' ? [text] : []));
  const title = values(TITLES)[0]?.value ?? '';
  const providers = new Set<Provider>();
  const named: Words[] = [title, ...values(USERS).map(({ value }) => value)].map(readWords);
  for (const words of named) for (const each of words.providers) providers.add(each);
  const hosts = values(ADDRESSES)
    .map(({ value }) => hostOf(value))
    .filter((host) => host !== '');
  for (const host of hosts) {
    const provider = providerOfHost(host);
    if (provider !== null) providers.add(provider);
  }
  const isElsewhere = hosts.length > 0 && hosts.every((host) => providerOfHost(host) === null);
  return {
    line: map.line,
    title,
    providers,
    namesOther: isElsewhere || (named[0]?.namesOther ?? false),
    isStale: named[0]?.saysStale ?? false,
    passwords: values(PASSWORDS),
    texts: values(TEXTS),
    fields: customFields(map),
  };
}

function judgePassword(entry: Entry, text: TextNode): ImportFinding {
  const { value, line } = text;
  const [provider] = [...entry.providers].sort((a) => (valueFitOf(a, value) === 'own' ? -1 : 1));
  if (provider === undefined) return left(line, 'the entry of another service');
  const fit = valueFitOf(provider, value);
  if (fit === 'unknown') return left(line, 'a web password, not an API key');
  if (fit === 'foreign') return left(line, `not a key of ${PROVIDER_NAMES[provider]}, by its form`);
  if (entry.isStale) return left(line, 'its title says that it is out of use');
  const doubt =
    fit === 'near' ? `its form is not quite that of a ${PROVIDER_NAMES[provider]} key` : '';
  const reason = entry.namesOther ? 'its entry names another service, too' : doubt;
  const pile = reason === '' ? 'sure' : 'likely';
  const name = FAMILIES[provider];
  return { pile, line, name, isNumbered: true, number: null, value, reason };
}

function judgeField(entry: Entry, name: string, text: TextNode): ImportFinding[] {
  return prefixedTokens(text.value).map(({ value }) =>
    entry.providers.size === 0
      ? left(text.line, 'the entry of another service')
      : judgeLabelled({
          label: readWords(name),
          heading: readWords(entry.title),
          headingDoubt: '',
          value,
          line: text.line,
        }),
  );
}

function judgeNote(entry: Entry, text: TextNode, around: Surroundings): ImportFinding[] {
  if (secretTokens(text.value).length === 0) return [];
  // `DEEPSEEK_API_KEY=…` says itself whose it is, in a note of any title.
  if (entry.providers.size === 0 && !assignsPoolKey(text.value)) {
    return [left(text.line, 'the entry of another service')];
  }
  const [provider] = entry.providers;
  const heading = provider === undefined ? entry.title : PROVIDER_NAMES[provider];
  // LastPass writes the fields of an item into its note; that password is the item's.
  const lines = text.value
    .split(/\r\n|\r|\n/)
    .map((line) => line.replace(/^password:/i, `${heading} $&`));
  return new NotesReader(lines, around, heading).read().map((finding) => {
    const line = text.spansLines ? text.firstLine + finding.line - 1 : text.line;
    return finding.pile === 'left' ? { ...finding, line, through: line } : { ...finding, line };
  });
}

/** One entry; where nothing of it is ours, it is said once. */
export function judgeEntry(map: MapNode, around: Surroundings): ImportFinding[] {
  const entry = entryOf(map);
  const findings = [
    ...entry.passwords.map((text) => judgePassword(entry, text)),
    ...entry.fields.flatMap(({ name, text }) => judgeField(entry, name, text)),
    ...entry.texts.flatMap((text) => judgeNote(entry, text, around)),
  ];
  const keys = findings.filter((finding) => finding.pile !== 'left');
  return keys.length > 0 ? findings : findings.slice(0, 1);
}
