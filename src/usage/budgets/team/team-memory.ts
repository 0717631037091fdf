/**
 * What a home was told of the others, kept for its next program: one that starts while nobody can be
 * asked keeps to its part of what was left, and not to the whole.
 */

import { join } from 'node:path';
import * as z from 'zod/mini';
import { parseRecord } from '../../../base/text/json.ts';
import { readWholeFileSync } from '../../../disk/read-file.ts';
import { replaceFile } from '../../../disk/replace-file.ts';
import type { TeamAnswer } from './team-state.ts';

export type TeamNews = Omit<TeamAnswer, 'seq'>;

const NAME = 'team.json';
const MAX_BYTES = 4 * 1024 * 1024;
/** Told several times a second, of use to a program that starts. */
const EVERY_MS = 5_000;

const USD = z.number().check(z.gte(0));
const SUMS = z.array(z.object({ scope: z.string(), label: z.string(), usd: USD }));
const SCOPE = z.object({
  scope: z.string(),
  roomUsd: USD,
  heldHereUsd: USD,
  heldElsewhereUsd: USD,
  isWanted: z.boolean(),
});
const NEWS = z.object({
  scopes: z.array(SCOPE),
  spentHere: SUMS,
  spentElsewhere: SUMS,
  homes: z.number().check(z.gte(1)),
});

export class TeamMemory {
  readonly #path: string;
  #writtenAt = Number.NEGATIVE_INFINITY;

  /** @param folder the ledger's */
  constructor(folder: string) {
    this.#path = join(folder, NAME);
  }

  /** @returns null where nothing was kept, or nothing that can be read */
  recall(): TeamNews | null {
    try {
      const record = parseRecord(readWholeFileSync(this.#path, MAX_BYTES).bytes.toString('utf8'));
      return NEWS.safeParse(record?.news).data ?? null;
    } catch {
      return null;
    }
  }

  /** Now and then; where it cannot be written, the next program begins with less. */
  async note(news: TeamNews, isLast = false): Promise<void> {
    const now = performance.now();
    if (!isLast && now - this.#writtenAt < EVERY_MS) return;
    this.#writtenAt = now;
    await replaceFile(this.#path, `${JSON.stringify({ v: 1, news })}\n`).catch(() => {});
  }
}
