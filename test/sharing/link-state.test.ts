import { describe, expect, it } from 'vitest';
import { createLogger } from '../../src/base/logger.ts';
import { Redactor } from '../../src/base/redact.ts';
import { LinkState } from '../../src/sharing/link-state.ts';

function stage() {
  const lines: string[] = [];
  const logger = createLogger({
    level: 'info',
    redactor: new Redactor(),
    write: (line) => void lines.push(line),
  });
  const said = () => lines.map((line): unknown => JSON.parse(line));
  return { state: new LinkState('redis', logger), said };
}

const GONE = { reason: 'it cannot be reached', next: '' };
const REFUSED = { reason: 'it cannot be reached: nobody listens there', next: '' };
const LOCKED = { reason: 'it wants a password', next: 'name one' };

describe('what is said of a link', () => {
  it('is said once of one outage, although more is known of it later, and shown in full', () => {
    const { state, said } = stage();
    state.down(GONE);
    state.down(REFUSED);
    state.down(REFUSED);
    expect(said()).toMatchObject([{ level: 'warn', reason: GONE.reason }]);
    expect(state.view).toMatchObject({ isUp: false, problem: REFUSED.reason });
  });

  it('is said again when something else is wrong, and when it happens again', () => {
    const { state, said } = stage();
    state.down(GONE);
    state.down(LOCKED);
    state.up('member');
    state.down(GONE);
    expect(said()).toMatchObject([
      { reason: GONE.reason },
      { reason: LOCKED.reason, next: LOCKED.next },
      { msg: 'Limits are shared with other processes again' },
      { reason: GONE.reason },
    ]);
  });
});
