/** A tree → findings: names, the names above and beside a value, and the shapes of known files. */

import type { Provider } from '../base/errors.ts';
import { isRecord, parseJson } from '../base/text/json.ts';
import { assignsPoolKey } from './assignments.ts';
import { providerOfHost } from './clues/surroundings.ts';
import { hasPasswordInAddress, isUsableSecret, secretTokens } from './clues/tokens.ts';
import { readWords, type Words } from './clues/words.ts';
import { isEntry, judgeEntry } from './entries.ts';
import {
  type ListNode,
  leafText,
  type MapNode,
  plainKey,
  type TextNode,
  type TreeNode,
  treeOfJson,
} from './formats/tree.ts';
import { type ImportFinding, left } from './import-finding.ts';
import { explicitName, judgeLabelled, judgeNamed, type Surroundings } from './judge.ts';
import { NotesReader } from './notes.ts';

const NAMES = new Set([
  'name',
  'title',
  'label',
  'service',
  'vendor',
  'keyname',
  'platform',
  'key',
]);
const VALUES = new Set([
  'value',
  'key',
  'apikey',
  'secret',
  'token',
  'password',
  'secretkey',
  'accesskey',
  'pass',
]);
/** Beside a key in the settings of a program: whose it is. */
const BESIDE =
  /^(?:name|title|label|service|vendor|provider|platform|model|models|modelname|baseurl|apibase|apiurl|url|uri|endpoint|host|website|type|keyname|id|slug|providerid|providername)$/;
/** With one of these it is a program's settings, not a list that a person keeps. */
const SETTINGS =
  /^(?:provider|model|models|modelname|baseurl|apibase|apiurl|endpoint|temperature|maxtokens|enabled|litellmparams)$/;

interface Context {
  /** Names of the maps around, outermost first. */
  readonly path: readonly string[];
  /** The map that the value stands in, and those around it, innermost first. */
  readonly maps: readonly MapNode[];
}

const NONE = readWords('');

/** `provider: siliconflow` outranks the model's name; `openai` there is a way of speaking. */
function isSomebodyElse(provider: string): boolean {
  const { providers, namesOther } = readWords(provider);
  return namesOther && providers.size === 0 && !/openai|compatible|custom/i.test(provider);
}

/** What stands beside a key in its own map; an address outranks words. */
function wordsBeside(map: MapNode, value: TextNode): Words {
  let words = NONE;
  let host: string | null = null;
  for (const { key, node } of map.members) {
    if (node === value || !BESIDE.test(plainKey(key))) continue;
    const texts = node.kind === 'list' ? node.items : [node];
    for (const text of texts) {
      if (text.kind !== 'text' || secretTokens(text.value).length > 0) continue;
      if (/^https?:\/\//i.test(text.value) && URL.canParse(text.value)) {
        host = new URL(text.value).hostname;
      } else if (plainKey(key) === 'provider' && isSomebodyElse(text.value)) {
        return { ...NONE, namesOther: true };
      } else words = both(words, readWords(text.value));
    }
  }
  if (host === null || /^(?:localhost|127\.|\[::1\]|0\.0\.0\.0)/.test(host)) return words;
  const provider = providerOfHost(host);
  const providers = new Set<Provider>(provider === null ? [] : [provider]);
  return { ...words, providers, namesOther: provider === null };
}

function both(one: Words, other: Words): Words {
  return {
    ...(one.name === '' ? other : one),
    providers: new Set([...one.providers, ...other.providers]),
    namesOther: one.namesOther || other.namesOther,
    saysStale: one.saysStale || other.saysStale,
    saysOther: false,
  };
}

/** The heading of a value: what is beside it, else the name of the map it stands in. */
function headingOf(
  text: TextNode,
  { path, maps }: Context,
): { words: Words | null; doubt: string } {
  const doubt = 'the settings of a program name its provider beside it';
  for (const map of maps.slice(0, 3)) {
    const beside = wordsBeside(map, text);
    const isSettings =
      map.isRow !== true && map.members.some(({ key }) => SETTINGS.test(plainKey(key)));
    if (beside.providers.size > 0 || beside.namesOther) {
      return { words: beside, doubt: isSettings || map !== maps[0] ? doubt : '' };
    }
  }
  for (let depth = path.length - 1; depth >= 0; depth--) {
    const words = readWords((path[depth] ?? '').replace(/[._]/g, ' '));
    if (words.providers.size === 0 && !words.namesOther && words.name === '') continue;
    return { words, doubt: depth === 0 ? '' : doubt };
  }
  return { words: null, doubt: '' };
}

export class StructuredReader {
  readonly #around: Surroundings;
  readonly #findings: ImportFinding[] = [];

  constructor(around: Surroundings) {
    this.#around = around;
  }

  read(tree: TreeNode): readonly ImportFinding[] {
    this.#walk(tree, '', { path: [], maps: [] });
    return this.#findings;
  }

  #walk(node: TreeNode, key: string, context: Context): void {
    if (node.kind === 'map') this.#walkMap(node, key, context);
    else if (node.kind === 'list') this.#walkList(node, key, context);
    else if (node.kind === 'text') this.#readText(node, key, context);
  }

  #walkList(list: ListNode, key: string, context: Context): void {
    for (const item of list.items) this.#walk(item, key, context);
  }

  #walkMap(map: MapNode, key: string, context: Context): void {
    if (isEntry(map)) {
      this.#findings.push(...judgeEntry(map, this.#around));
      return;
    }
    const name = leafText(map, NAMES);
    const value = name === null ? null : this.#valueBeside(map, name);
    if (name !== null && value !== null) {
      const explicit = explicitName(name.value);
      if (explicit !== null && explicit.kind !== 'setting') {
        this.#named(name.value, value);
        return;
      }
    }
    const path = key === '' ? context.path : [...context.path, key];
    const inner = { path, maps: [map, ...context.maps] };
    const isSecret = map.members.some(
      ({ key: each, node }) => each === 'kind' && node.kind === 'text' && node.value === 'Secret',
    );
    for (const member of map.members) {
      const decoded = isSecret && member.key === 'data' ? decodedData(member.node) : member.node;
      this.#walk(decoded, member.key, inner);
    }
  }

  #valueBeside(map: MapNode, name: TextNode): TextNode | null {
    const found = map.members.find(
      ({ key, node }) => node.kind === 'text' && node !== name && VALUES.has(plainKey(key)),
    );
    return found?.node.kind === 'text' ? found.node : null;
  }

  #named(written: string, text: TextNode): void {
    const name = explicitName(written);
    if (name === null) return;
    this.#findings.push(...judgeNamed(written, name, text.value, text.line, this.#around));
  }

  #readText(text: TextNode, key: string, context: Context): void {
    const name = explicitName(key);
    const isNamed = name !== null && (name.kind !== 'setting' || /^[A-Z]+_[A-Z_]+$/.test(key));
    const inner = isNamed ? null : jsonInside(text);
    if (isNamed) this.#named(key, text);
    else if (inner !== null) this.#walk(inner, key, context);
    else if (/\n|^\s*(?:export\s+)?[A-Za-z_]\w*=/.test(text.value) || assignsPoolKey(text.value))
      this.#readInner(text, key, context);
    else this.#readValue(text, key, context);
  }

  /** A settings file inside a text, or `NAME=value` as an item of a list. */
  #readInner(text: TextNode, key: string, context: Context): void {
    const lines = text.value.split(/\r\n|\r|\n/);
    const isAssigned = lines.some(
      (line) => /^\s*(?:export\s+)?[A-Za-z_][\w.]*\s*[=:]/.test(line) || assignsPoolKey(line),
    );
    if (!isAssigned) {
      this.#readValue(text, key, context);
      return;
    }
    for (const finding of new NotesReader(lines, this.#around).read()) {
      const move = (line: number): number =>
        text.spansLines ? text.firstLine + line - 1 : text.line;
      this.#findings.push(
        finding.pile === 'left'
          ? { ...finding, line: move(finding.line), through: move(finding.through) }
          : { ...finding, line: move(finding.line) },
      );
    }
  }

  #readValue(text: TextNode, key: string, context: Context): void {
    const label = readWords(key.replace(/[._-]/g, ' '));
    const { line } = text;
    if (hasPasswordInAddress(text.value)) {
      this.#findings.push(left(line, 'an address with a password in it'));
      return;
    }
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text.value)) return;
    const tokens = secretTokens(text.value).map((token) => token.value);
    const { words: heading, doubt: headingDoubt } = headingOf(text, context);
    const isShort = tokens.length === 0 && isUsableSecret(text.value);
    if (isShort && label.saysPassword && !label.saysKey) {
      this.#findings.push(left(line, 'a password, not an API key'));
    }
    const isLabelled = isShort && label.saysKey && !label.saysOther && text.value.length >= 8;
    for (const value of isLabelled ? [text.value] : tokens) {
      // `{"deepseek": {"main": …}}`: a name of no meaning takes nothing from the heading.
      const isOwn =
        label.providers.size > 0 ||
        label.namesOther ||
        label.saysKey ||
        label.saysOther ||
        label.saysPassword;
      this.#findings.push(
        judgeLabelled({ label: isOwn ? label : NONE, heading, headingDoubt, value, line }),
      );
    }
  }
}

/** JSON as a text in JSON: secrets of AWS, backups of chat programs. */
function jsonInside(text: TextNode): TreeNode | null {
  if (!/^\s*[[{]/.test(text.value)) return null;
  const value = parseJson(text.value)?.value;
  return isRecord(value) || Array.isArray(value) ? treeOfJson(value, text.line) : null;
}

/** `data` of a Kubernetes Secret is base64. */
function decodedData(node: TreeNode): TreeNode {
  if (node.kind !== 'map') return node;
  const members = node.members.map(({ key, node: item }) => {
    if (item.kind !== 'text') return { key, node: item };
    const value = Buffer.from(item.value, 'base64').toString('utf8').trim();
    return { key, node: { ...item, value } };
  });
  return { ...node, members };
}
