/** The homes that spend from the same budgets, over the Redis that they share. */

import { newNonce } from '../../../sharing/nonce.ts';
import type { RedisAccess } from '../../../sharing/redis/redis-access.ts';
import { forgetMember, settle } from '../../../usage/budgets/team/settle.ts';
import { TEAM_STATE } from '../../../usage/budgets/team/team-codec.ts';
import type { TeamLink } from '../../../usage/budgets/team/team-line.ts';

/** Longer than any period of a budget: who was there at its beginning need not be there at its end. */
const KEPT_MS = 40 * 24 * 3_600_000;
/** A cap is worth a wait, which only calls know that have no room yet. */
const PATIENCE_MS = 1_000;

export function teamLink(access: RedisAccess): TeamLink {
  const money = access.keep({ ...TEAM_STATE, purpose: 'budgets 1', keptMs: KEPT_MS }, PATIENCE_MS);
  const member = newNonce();
  return {
    exchange: (request) => money.change((state, now) => settle(state, member, request, now)),
    leave: () => money.leave((state) => forgetMember(state, member)),
  };
}
