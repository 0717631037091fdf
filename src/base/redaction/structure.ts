/** The same for JSON: strings are cleaned, what holds them together is not. */

type Redact = (text: string) => string;

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Every string of a JSON value, names of members included; the same value where nothing changes. */
function redactValue(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) {
    const clean = value.map((entry) => redactValue(entry, redact));
    return clean.some((entry, at) => entry !== value[at]) ? clean : value;
  }
  if (!isRecord(value)) return value;
  const entries = Object.entries(value);
  const clean = entries.map(([name, entry]) => [redact(name), redactValue(entry, redact)] as const);
  const isSame = clean.every(([name, entry], at) => {
    const [nameBefore, entryBefore] = entries[at] ?? [];
    return name === nameBefore && entry === entryBefore;
  });
  return isSame ? value : Object.fromEntries(clean);
}

/** What the client chose in order to find its own requests again. */
const CLIENTS_OWN = new Set(['jsonrpc', 'id', 'method']);
const CLIENTS_OWN_BELOW = new Set(['progressToken', 'requestId', '_meta']);

function redactExcept(value: unknown, kept: ReadonlySet<string>, redact: Redact): unknown {
  if (!isRecord(value)) return redactValue(value, redact);
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [
      name,
      kept.has(name) ? entry : redactValue(entry, redact),
    ]),
  );
}

/** A JSON-RPC message without secrets; its ids and tokens are the client's and stay. */
function cleanMessage(message: unknown, redact: Redact): unknown {
  if (Array.isArray(message)) return message.map((each) => cleanMessage(each, redact));
  if (!isRecord(message)) return redactValue(message, redact);
  return Object.fromEntries(
    Object.entries(message).map(([name, entry]) => {
      if (CLIENTS_OWN.has(name)) return [name, entry];
      const isBody = name === 'params' || name === 'result';
      return [
        name,
        isBody ? redactExcept(entry, CLIENTS_OWN_BELOW, redact) : redactValue(entry, redact),
      ];
    }),
  );
}

/**
 * JSON on its way out. Almost none holds a secret, and one look at the whole text says so; where
 * one is, it is taken out of the strings, so that what remains is JSON.
 */
export function redactJson(json: string, redact: Redact): string {
  return redact(json) === json ? json : JSON.stringify(redactValue(JSON.parse(json), redact));
}

/** The same for a JSON-RPC message, a batch of them, or a result that has its task's `id`. */
export function redactMessage(json: string, redact: Redact): string {
  return redact(json) === json ? json : JSON.stringify(cleanMessage(JSON.parse(json), redact));
}
