/**
 * What a client asks before it does anything, answered from data that never changes, without
 * importing an SDK: building an SDK's schemas takes longer than starting node.
 *
 * Only the plain forms are answered here. Anything with an unusual member goes to the SDK of its
 * era, so that the verdict on it is the SDK's; a test holds the answers and the SDKs' together.
 */

import { isRecord } from '../base/text/json.ts';
import { LEGACY_VERSIONS, MODERN_VERSION, VERSION_KEY } from './era.ts';
import { CACHE_HINTS, CAPABILITIES, SERVER_INFO, TOOL_LIST } from './identity.ts';
import type { JsonRpcRequest, Params } from './json-rpc.ts';
import { PROMPTS } from './prompts.ts';
import { RESOURCES } from './resources.ts';

type Result = Readonly<Record<string, unknown>>;

const META = 'io.modelcontextprotocol/';

/** Lists that never change, by method; clients ask for all of them as soon as they connect. */
const LISTS = {
  'tools/list': { tools: TOOL_LIST },
  'resources/list': { resources: RESOURCES },
  'resources/templates/list': { resourceTemplates: [] },
  'prompts/list': { prompts: PROMPTS },
} as const;

function isList(method: string): method is keyof typeof LISTS {
  return Object.hasOwn(LISTS, method);
}

export function hasOnly(record: Params, known: readonly string[]): boolean {
  return Object.keys(record).every((key) => known.includes(key));
}

function isProgressToken(value: unknown): boolean {
  return value === undefined || typeof value === 'string' || Number.isInteger(value);
}

/** Name and version, and nothing but strings beside them. */
function isPlainIdentity(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { name, version, ...rest } = value;
  const isNamed = typeof name === 'string' && typeof version === 'string';
  return (
    isNamed &&
    hasOnly(rest, ['title', 'description', 'websiteUrl']) &&
    Object.values(rest).every((entry) => typeof entry === 'string')
  );
}

function isEmptyObject(value: unknown): boolean {
  return isRecord(value) && Object.keys(value).length === 0;
}

/** The capabilities that clients really declare, in the shapes the specification gives them. */
function isPlainCapability(name: string, value: unknown): boolean {
  if (!isRecord(value)) return false;
  if (name === 'roots') {
    const { listChanged = false } = value;
    return hasOnly(value, ['listChanged']) && typeof listChanged === 'boolean';
  }
  if (name === 'sampling') {
    return hasOnly(value, ['tools', 'context']) && Object.values(value).every(isEmptyObject);
  }
  if (name === 'elicitation') {
    return hasOnly(value, ['form', 'url']) && Object.values(value).every(isEmptyObject);
  }
  return (name === 'extensions' || name === 'experimental') && Object.values(value).every(isRecord);
}

function arePlainCapabilities(value: unknown): boolean {
  return (
    isRecord(value) &&
    Object.entries(value).every(([name, capability]) => isPlainCapability(name, capability))
  );
}

/** True when there is no `_meta`, or one with nothing but a progress token. */
export function isPlainLegacyMeta(params: Params): boolean {
  const { _meta = {} } = params;
  return (
    isRecord(_meta) && hasOnly(_meta, ['progressToken']) && isProgressToken(_meta.progressToken)
  );
}

function initializeResult(params: Params): Result | null {
  const { protocolVersion, capabilities, clientInfo } = params;
  const isPlain =
    hasOnly(params, ['protocolVersion', 'capabilities', 'clientInfo', '_meta']) &&
    typeof protocolVersion === 'string' &&
    arePlainCapabilities(capabilities) &&
    isPlainIdentity(clientInfo);
  if (!isPlain) return null;
  const known = LEGACY_VERSIONS.find((version) => version === protocolVersion);
  return {
    protocolVersion: known ?? LEGACY_VERSIONS[0],
    capabilities: CAPABILITIES,
    serverInfo: SERVER_INFO,
  };
}

/** The result for a plain request of the legacy era; null when the SDK has to judge. */
export function legacyAnswer({ method, params = {} }: JsonRpcRequest): Result | null {
  if (!isPlainLegacyMeta(params)) return null;
  if (method === 'initialize') return initializeResult(params);
  if (!hasOnly(params, ['_meta'])) return null;
  if (method === 'ping') return {};
  return isList(method) ? LISTS[method] : null;
}

function isPlainEnvelope(meta: unknown): boolean {
  if (!isRecord(meta)) return false;
  const known = ['protocolVersion', 'clientInfo', 'clientCapabilities'].map((key) => META + key);
  const { [`${META}clientInfo`]: clientInfo } = meta;
  return (
    hasOnly(meta, [...known, 'progressToken']) &&
    isProgressToken(meta.progressToken) &&
    meta[VERSION_KEY] === MODERN_VERSION &&
    arePlainCapabilities(meta[`${META}clientCapabilities`]) &&
    (clientInfo === undefined || isPlainIdentity(clientInfo))
  );
}

function modernResult(method: keyof typeof CACHE_HINTS, result: Result): Result {
  return {
    ...result,
    resultType: 'complete',
    ...CACHE_HINTS[method],
    _meta: { [`${META}serverInfo`]: SERVER_INFO },
  };
}

/** The result for a plain request of the modern era; null when the SDK has to judge. */
export function modernAnswer({ method, params = {} }: JsonRpcRequest): Result | null {
  if (!hasOnly(params, ['_meta']) || !isPlainEnvelope(params._meta)) return null;
  if (method === 'server/discover') {
    return modernResult(method, {
      supportedVersions: [MODERN_VERSION],
      capabilities: CAPABILITIES,
    });
  }
  return isList(method) ? modernResult(method, LISTS[method]) : null;
}
