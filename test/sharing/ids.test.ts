import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fakeKey } from '../../lab/store.ts';
import { idMaker, purposeKey } from '../../src/sharing/ids.ts';

describe('ids', () => {
  it('are the same for all who have the secret, and others under another one', () => {
    const secret = randomBytes(32);
    const words = ['key', 'deepseek', fakeKey()];
    expect(idMaker(Buffer.from(secret))(...words)).toBe(idMaker(secret)(...words));
    expect(idMaker(randomBytes(32))(...words)).not.toBe(idMaker(secret)(...words));
  });

  it('differ whenever the words do, however they are cut', () => {
    const id = idMaker(randomBytes(32));
    fc.assert(
      fc.property(fc.array(fc.string()), fc.array(fc.string()), (some, others) => {
        expect(id(...some) === id(...others)).toBe(JSON.stringify(some) === JSON.stringify(others));
      }),
    );
    expect(id('ab', 'c')).not.toBe(id('a', 'bc'));
  });

  it('hold nothing of their words', () => {
    const id = idMaker(randomBytes(32));
    expect(id('account', 'deepseek', 'main')).toMatch(/^[A-Za-z0-9_-]{16}$/);
  });

  it('are made with a key that serves nothing else', () => {
    const secret = randomBytes(32);
    expect(purposeKey(secret, 'ids')).not.toEqual(purposeKey(secret, 'hello'));
  });
});
