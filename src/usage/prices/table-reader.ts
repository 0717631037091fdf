/** Reads foreign JSON strictly, and knows the place of what it does not like. */

/** One mistake in a price table: where, and what. */
export class PriceTableError extends Error {
  override readonly name = 'PriceTableError';
  readonly path: readonly (string | number)[];
  /** Our words: "has to be a number of 0 or more". */
  readonly what: string;

  constructor(path: readonly (string | number)[], what: string) {
    super(`${pathText(path)} ${what}`);
    this.path = path;
    this.what = what;
  }
}

/** `tokens[0].prices[1].usd`. */
export function pathText(path: readonly (string | number)[]): string {
  const text = path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${shown(step)}`))
    .join('')
    .replace(/^\./, '');
  return text === '' ? 'the file' : text;
}

/** A foreign name, harmless in a terminal and short. */
function shown(name: string): string {
  return /^[\w./:-]{1,60}$/.test(name) ? name : JSON.stringify(name.slice(0, 60));
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?Z$/;

/** One value and its place. Each method returns it in the wanted shape or throws. */
export class TableValue {
  readonly value: unknown;
  readonly path: readonly (string | number)[];

  constructor(value: unknown, path: readonly (string | number)[] = []) {
    this.value = value;
    this.path = path;
  }

  fail(what: string): never {
    throw new PriceTableError(this.path, what);
  }

  get isNull(): boolean {
    return this.value === null || this.value === undefined;
  }

  /** The members of an object of any names. */
  members(): ReadonlyMap<string, TableValue> {
    const { value } = this;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return this.fail('has to be an object');
    }
    const entries = Object.entries(value);
    return new Map(
      entries.map(([name, each]) => [name, new TableValue(each, [...this.path, name])]),
    );
  }

  /** The named members, each of them present; others are a mistake, which catches misspellings. */
  object<Name extends string>(names: readonly Name[]): Readonly<Record<Name, TableValue>> {
    const members = this.members();
    for (const [name, member] of members) {
      if (!names.some((known) => known === name)) {
        member.fail(`is unknown; known here are ${names.join(', ')}`);
      }
    }
    return this.#pick(members, names);
  }

  #pick<Name extends string>(
    members: ReadonlyMap<string, TableValue>,
    names: readonly Name[],
  ): Readonly<Record<Name, TableValue>> {
    const found: Partial<Record<Name, TableValue>> = {};
    for (const name of names) {
      const member = members.get(name);
      if (member === undefined) this.fail(`lacks ${name}`);
      found[name] = member;
    }
    const isWhole = (some: Partial<Record<Name, TableValue>>): some is Record<Name, TableValue> =>
      names.every((name) => name in some);
    return isWhole(found) ? found : this.fail('is incomplete');
  }

  list(): readonly TableValue[] {
    const { value } = this;
    if (!Array.isArray(value)) return this.fail('has to be a list');
    return value.map((each: unknown, at) => new TableValue(each, [...this.path, at]));
  }

  text(): string {
    const { value } = this;
    if (typeof value !== 'string' || value.trim() === '') return this.fail('has to be a text');
    return value;
  }

  flag(): boolean {
    return typeof this.value === 'boolean' ? this.value : this.fail('has to be true or false');
  }

  amount(): number {
    const { value } = this;
    const isFine = typeof value === 'number' && Number.isFinite(value) && value >= 0;
    return isFine && value < 1e6 ? value : this.fail('has to be a number of 0 or more');
  }

  /** `YYYY-MM-DD`, a day that exists. */
  date(): string {
    const { value } = this;
    const isDate = typeof value === 'string' && DATE.test(value) && isRealDay(value);
    return isDate ? value : this.fail('has to be a day that exists, as 2026-10-01');
  }

  /** Epoch milliseconds of an instant in UTC. */
  instant(): number {
    const { value } = this;
    const isInstant =
      typeof value === 'string' && INSTANT.test(value) && isRealDay(value.slice(0, 10));
    const at = isInstant ? Date.parse(value) : Number.NaN;
    return Number.isNaN(at)
      ? this.fail('has to be an instant in UTC, as 2026-09-10T04:00:00Z')
      : at;
  }
}

function isRealDay(day: string): boolean {
  const at = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(day);
}
