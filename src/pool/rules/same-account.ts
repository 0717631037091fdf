/**
 * Which keys are of one account? The grouping that explains their refusals. Pure.
 *
 * An account of its own is refused with as many calls there as it takes, and never with fewer. A key
 * that was refused with fewer calls than it had at other times shares its account with somebody; and
 * when the calls of some keys together, at every refusal, were as many as the same keys ever had
 * taken at once, those keys are the account. DeepSeek's numbers, where they are named, say how many
 * were there and make it sure sooner.
 */

/** Calls in flight by the label of the account that their key has, or is said to have. */
export type Counts = ReadonlyMap<string, number>;

export interface Taken {
  readonly at: number;
  readonly label: string;
  /** Calls that the upstream was seen to have taken, this one among them. */
  readonly there: Counts;
}

export interface Refusal {
  readonly at: number;
  readonly label: string;
  /** What was there, as far as we know, when it was sent, and when the refusal came. */
  readonly before: Counts;
  readonly after: Counts;
  /** Of those before, the ones that were not refused themselves, for all we know by now. */
  readonly sure: Counts;
  /** Taken before and still there after: at least so many all the time. */
  readonly least: Counts;
  /** Calls on the account, by the refusal's own numbers. */
  readonly named: Named | null;
}

/** How many calls a refusal said were there, the refused one not among them. */
export interface Named {
  readonly least: number;
  readonly most: number;
}

/** DeepSeek counts the refused call; where it names no more than the limit, perhaps it did not. */
export function namedBy(current: number | null, limit: number | null): Named | null {
  if (current === null) return null;
  const isCounted = limit === null || current > limit;
  return { least: current - 1, most: isCounted ? current - 1 : current };
}

/** What was seen of one model. */
export interface Sightings {
  readonly taken: readonly Taken[];
  readonly refused: readonly Refusal[];
}

export const NOTHING_SEEN: Sightings = { taken: [], refused: [] };

const TAKEN_KEPT = 64;
const REFUSED_KEPT = 24;

function recent<T extends { readonly at: number }>(
  list: readonly T[],
  most: number,
  since: number,
) {
  return list.filter((each) => each.at >= since).slice(-most);
}

/** @param since what is older says nothing about the accounts of today */
export function withTaken(seen: Sightings, taken: Taken, since: number): Sightings {
  return { ...seen, taken: recent([...seen.taken, taken], TAKEN_KEPT, since) };
}

export function withRefusal(seen: Sightings, refusal: Refusal, since: number): Sightings {
  const refused = recent([...seen.refused, refusal], REFUSED_KEPT, since);
  return { taken: recent(seen.taken, TAKEN_KEPT, since), refused };
}

function sum(counts: Counts, group: ReadonlySet<string>): number {
  let total = 0;
  for (const label of group) total += counts.get(label) ?? 0;
  return total;
}

/** The most that can have been there. */
function mostAt(refusal: Refusal, group: ReadonlySet<string>): number {
  return Math.max(sum(refusal.before, group), sum(refusal.after, group));
}

export interface Fit {
  /** Refusals that cannot be, were this group one account and alone on it. */
  readonly odd: number;
  /** Of these, the ones whose own numbers are smaller than what we surely had there. */
  readonly over: number;
  /** Refusals of which we surely know what was there, and it was just what it had to be. */
  readonly exact: number;
}

/** How well these labels' being one account explains what was seen of them. */
export function fitOf(seen: Sightings, group: ReadonlySet<string>): Fit {
  const refused = seen.refused.filter((each) => group.has(each.label));
  const mostThere = mostTaken(seen, [...group]);
  let odd = 0;
  let over = 0;
  let exact = 0;
  for (const refusal of refused) {
    const { named } = refusal;
    // A number tells what was there; without one, what the same calls were taken with before.
    const needed = named?.least ?? mostThere;
    const isOver = named !== null && sum(refusal.least, group) > named.most;
    if (isOver) over += 1;
    if (isOver || mostAt(refusal, group) < needed) odd += 1;
    const before = sum(refusal.before, group);
    const isSure = before - sum(refusal.sure, group) <= EXACT;
    if (isSure && Math.abs(before - needed) <= EXACT) exact += 1;
  }
  return { odd, over, exact };
}

/** Refusals that an account of its own does not explain, before another explanation is believed. */
const PROOF = 2;
const EXACT = 1;
/** More labels than these are not tried in every combination. */
const MANY = 8;

/** Every group of `size` labels out of `others`, together with `core`. */
function* groups(
  core: readonly string[],
  others: readonly string[],
  size: number,
): Generator<string[]> {
  if (size === 0) {
    yield [...core];
    return;
  }
  for (const [index, label] of others.entries()) {
    yield* groups([...core, label], others.slice(index + 1), size - 1);
  }
}

function sizesFor(others: number): number[] {
  const all = Array.from({ length: others }, (_, index) => index + 1);
  return others <= MANY ? all : all.filter((size) => size === 1 || size === others);
}

/**
 * The labels that are one account with `core`, itself among them; null when nothing speaks for it,
 * or for more than one answer.
 *
 * @param core labels that are one account by now: one, or what was found before
 * @param others labels that may be of it
 */
export function accountOf(
  seen: Sightings,
  core: readonly string[],
  others: readonly string[],
): readonly string[] | null {
  if (fitOf(seen, new Set(core)).odd < PROOF) return null;
  const there = others.filter((label) =>
    seen.refused.some((each) => mostAt(each, new Set([label])) > 0),
  );
  for (const size of sizesFor(there.length)) {
    const fitting: string[][] = [];
    for (const group of groups(core, there, size)) {
      const { odd, exact } = fitOf(seen, new Set(group));
      if (odd === 0 && exact >= PROOF) fitting.push(group);
    }
    if (fitting.length > 0) return fitting.length === 1 ? (fitting[0] ?? null) : null;
  }
  return null;
}

/** The most that these labels together were seen to have taken at once. */
export function mostTaken(seen: Sightings, labels: readonly string[]): number {
  const group = new Set(labels);
  const own = seen.taken.filter((each) => group.has(each.label));
  return Math.max(0, ...own.map((each) => sum(each.there, group)));
}

const DISPROOF = 3;

/** True when what was seen speaks against one account, and for an account of each label. */
export function isMistaken(seen: Sightings, members: readonly string[]): boolean {
  const { odd, over } = fitOf(seen, new Set(members));
  if (over >= PROOF) return true;
  if (odd < DISPROOF) return false;
  return members.every((label) => fitOf(seen, new Set([label])).odd === 0);
}
