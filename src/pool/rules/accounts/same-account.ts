/**
 * Which keys are of one account? The grouping that explains their refusals. Pure.
 *
 * An account of its own is refused with as many calls there as it takes, no more and no fewer. What
 * was there when a refused call was on its way is known within bounds (`records/flight.ts`); the calls
 * of one account's keys together were as many as its limit each time, and those of other keys were
 * not for long. DeepSeek's numbers, where they are named, say how many were there.
 */

/** Calls in flight by the label of the account that their key has, or is said to have. */
export type Counts = ReadonlyMap<string, number>;

export interface Refusal {
  /** When it came. */
  readonly at: number;
  readonly label: string;
  /** Surely there all the time. */
  readonly least: Counts;
  /** What may have been there, at one instant or another. */
  readonly most: readonly Counts[];
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

/** Refusals of one model, oldest first. */
export type Sightings = readonly Refusal[];

const REFUSED_KEPT = 24;

/** @param since what is older says nothing about the accounts of today */
export function withRefusal(seen: Sightings, refusal: Refusal, since: number): Sightings {
  return [...seen, refusal].filter((each) => each.at >= since).slice(-REFUSED_KEPT);
}

function sum(counts: Counts, group: ReadonlySet<string>): number {
  let total = 0;
  for (const label of group) total += counts.get(label) ?? 0;
  return total;
}

/** The most that can have been there. */
function mostAt({ most }: Refusal, group: ReadonlySet<string>): number {
  return Math.max(0, ...most.map((counts) => sum(counts, group)));
}

export interface Fit {
  /** Refusals that cannot be, were this group one account and alone on it. */
  readonly odd: number;
  /** Of these, the ones whose own numbers are smaller than what we surely had there. */
  readonly over: number;
  /** Refusals with just as many calls there as there had to be. */
  readonly exact: number;
}

/** How well these labels' being one account explains what was seen of them. */
export function fitOf(seen: Sightings, group: ReadonlySet<string>): Fit {
  const refused = seen.filter((each) => group.has(each.label));
  const mostSure = surelyTaken(seen, [...group]);
  let odd = 0;
  let over = 0;
  let exact = 0;
  for (const refusal of refused) {
    const { named } = refusal;
    // A number tells what was there; without one, what was there when others of it were refused.
    const needed = named?.least ?? mostSure;
    const most = mostAt(refusal, group);
    const isOver = named !== null && sum(refusal.least, group) > named.most;
    if (isOver) over += 1;
    if (isOver || most < needed) odd += 1;
    else if (most - needed <= EXACT) exact += 1;
  }
  return { odd, over, exact };
}

/** The most that these labels together surely had there when one of them was refused. */
export function surelyTaken(seen: Sightings, labels: readonly string[]): number {
  const group = new Set(labels);
  const own = seen.filter((each) => group.has(each.label));
  return Math.max(0, ...own.map((each) => sum(each.least, group)));
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
  const there = others.filter((label) => seen.some((each) => mostAt(each, new Set([label])) > 0));
  for (const size of sizesFor(there.length)) {
    const possible = [...groups(core, there, size)]
      .map((group) => ({ group, ...fitOf(seen, new Set(group)) }))
      .filter(({ odd }) => odd === 0);
    const [only] = possible;
    if (only === undefined) continue;
    return possible.length === 1 && only.exact >= PROOF ? only.group : null;
  }
  return null;
}

const DISPROOF = 3;

/** True when what was seen speaks against one account, and for several of these labels. */
export function isMistaken(seen: Sightings, members: readonly string[]): boolean {
  const { odd, over } = fitOf(seen, new Set(members));
  if (over >= PROOF) return true;
  return odd >= DISPROOF && members.every((label) => hasSmaller(seen, label, members));
}

/** True when some of the members explain their own refusals, this one's among them. */
function hasSmaller(seen: Sightings, label: string, members: readonly string[]): boolean {
  const others = members.filter((each) => each !== label);
  for (let size = 0; size < others.length; size++) {
    for (const group of groups([label], others, size)) {
      if (fitOf(seen, new Set(group)).odd === 0) return true;
    }
  }
  return false;
}
