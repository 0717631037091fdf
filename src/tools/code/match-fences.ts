/**
 * Which fence closes which. A fence that tells a language opens, also within another block: code
 * that holds Markdown holds fences. One pass over the fences with a stack; where that leaves a block
 * open, what models forget is assumed instead.
 */

import { type Fence, isDeeper } from './fences.ts';
import { isInfo, isLanguage } from './info-string.ts';

/** One block: the code is on the lines from `from` up to `to`, which is not part of it. */
export interface Range {
  /** Null where the opening fence is missing. */
  readonly open: Fence | null;
  readonly from: number;
  readonly to: number;
  /** The fence that ends it; null when the answer ended first, or the next block began. */
  readonly close: Fence | null;
}

export interface Matched {
  readonly ranges: readonly Range[];
  /** Every block that was opened was closed. */
  readonly isBalanced: boolean;
}

export interface Assumptions {
  /** The answer was cut: its last block is open for a good reason. */
  readonly isCut: boolean;
  /** A fence behind code on its line, or in front of a sentence, closes. */
  readonly closesAnywhere: boolean;
  /** The first fence closes a block that nothing opened. */
  readonly lacksOpening: boolean;
}

interface Opened {
  readonly fence: Fence | null;
  readonly from: number;
  /** Blocks within it, in case that it turns out to be no block around them. */
  readonly inner: Range[];
}

/** Languages whose files hold fences of their own. */
const MARKDOWN = /^\{?\.?(?:markdown|md|mdx|rmd|qmd)\b/i;

/** What opens where nothing does: as deep and as short as any. */
const ASSUMED: Fence = {
  line: -1,
  indent: 0,
  mark: '`',
  length: 3,
  info: '',
  isApart: false,
  before: '',
};

/** At the end of a line of prose: "Here is the code: ```python". */
function opensAfterProse({ before, info }: Fence): boolean {
  return info === '' ? before.trimEnd().endsWith(':') : /^[a-z][a-z0-9+#_.-]{0,30}$/i.test(info);
}

class Matching {
  readonly #lineCount: number;
  readonly #assumed: Assumptions;
  readonly #ranges: Range[] = [];
  readonly #open: Opened[] = [];

  constructor(lineCount: number, assumed: Assumptions) {
    this.#lineCount = lineCount;
    this.#assumed = assumed;
    if (assumed.lacksOpening) this.#open.push({ fence: null, from: 0, inner: [] });
  }

  take(fence: Fence): void {
    const top = this.#open.at(-1);
    if (top === undefined) {
      if (fence.before === '' || opensAfterProse(fence)) this.#push(fence);
      return;
    }
    const around = top.fence ?? ASSUMED;
    if (fence.mark !== around.mark || isDeeper(fence, around)) return;
    if (this.#isClosing(fence)) this.#close(fence);
    else if (fence.before === '' && fence.length >= around.length) this.#push(fence);
  }

  end(): Matched {
    const isBalanced = this.#open.length === 0;
    for (const [at, opened] of this.#open.entries()) {
      this.#endOpen(opened, this.#open[at + 1]);
      if (this.#holdsFences(opened)) break;
    }
    return { ranges: this.#ranges, isBalanced };
  }

  #push(fence: Fence): void {
    this.#open.push({ fence, from: fence.line + 1, inner: [] });
  }

  #isClosing({ before, info, isApart }: Fence): boolean {
    if (before === '' && info === '') return true;
    if (!this.#assumed.closesAnywhere) return false;
    if (!isInfo(info)) return true;
    // Behind code, or with a word or two of prose behind it; a language opens the next block.
    const [word = ''] = info.split(/\s/, 1);
    return (isApart || before !== '') && !isLanguage(word);
  }

  /** Closes the innermost block that a fence of this length can close, and all within it. */
  #close(fence: Fence): void {
    const isLongEnough = (opened: Opened | undefined): boolean =>
      (opened?.fence ?? ASSUMED).length <= fence.length;
    // The outermost is the shortest.
    if (!isLongEnough(this.#open[0])) return;
    let closed = this.#open.pop();
    while (!isLongEnough(closed)) closed = this.#open.pop();
    if (closed === undefined) return;
    const to = fence.before === '' ? fence.line : fence.line + 1;
    const range = { open: closed.fence, from: closed.from, to, close: fence };
    (this.#open.at(-1)?.inner ?? this.#ranges).push(range);
  }

  #holdsFences({ fence }: Opened): boolean {
    return this.#assumed.isCut || (fence !== null && MARKDOWN.test(fence.info));
  }

  /** A block that nothing closed ends where the next one begins, and is none around it. */
  #endOpen(opened: Opened, next: Opened | undefined): void {
    const { fence, from, inner } = opened;
    const follower = inner[0]?.open ?? next?.fence ?? null;
    const isWhole = follower === null || this.#holdsFences(opened);
    const to = isWhole ? this.#lineCount : follower.line;
    this.#ranges.push({ open: fence, from, to, close: null });
    if (!isWhole) for (const range of inner) this.#ranges.push(range);
  }
}

/** @param fences in order */
export function matchFences(
  fences: readonly Fence[],
  lineCount: number,
  assumed: Assumptions,
): Matched {
  const matching = new Matching(lineCount, assumed);
  for (const fence of fences) matching.take(fence);
  return matching.end();
}
