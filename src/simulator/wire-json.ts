/** Reading parsed JSON without trusting it. */

export type WireObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is WireObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isText(value: unknown): value is string {
  return typeof value === 'string';
}

export function parseWire(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

/** The first field of `body` that is not in `known`, or null. */
export function unknownField(body: WireObject, known: ReadonlySet<string>): string | null {
  return Object.keys(body).find((name) => !known.has(name)) ?? null;
}
