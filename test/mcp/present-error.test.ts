import { describe, expect, it } from 'vitest';
import {
  ConfigError,
  type Failure,
  KeyStoreError,
  PoolExhaustedError,
  UpstreamError,
} from '../../src/base/errors.ts';
import { type Logger, silentLogger } from '../../src/base/logger.ts';
import { presentError } from '../../src/mcp/present-error.ts';

const FAILURE: Failure = {
  kind: 'deadline',
  status: null,
  retryAfterMs: null,
  requestId: null,
  namedLimit: null,
  namedInFlight: null,
  mayBeBilled: true,
};

describe('an error in front of a model', () => {
  it.each([
    new ConfigError('DEEPSEEK_BASE_URL is not a URL', { hint: 'set it to an https address' }),
    new KeyStoreError('missing', 'there is no key store', { hint: 'run keypool-mcp init' }),
    new UpstreamError('deepseek', FAILURE, 'no answer within 180 s', { hint: 'ask for less' }),
  ])('is a sentence and the next step: $name', (error) => {
    const text = presentError(error, silentLogger);
    expect(text).toMatch(/^[A-Z][^.]+\. [A-Z].+\.$/);
  });

  it('names what the machine has run short of, and is no bug', () => {
    const error = Object.assign(new Error('open /x'), { code: 'EMFILE' });
    const text = presentError(error, silentLogger);
    expect(text).toMatch(/too many files are open in this process \(ulimit -n\)\. Close .+\.$/);
    expect(text).not.toContain('/x');
  });

  it('lists why no key could serve', () => {
    const error = new PoolExhaustedError('deepseek', 'POOL_EXHAUSTED', 'no key can serve in time', {
      hint: 'try again in a minute',
      keys: [
        { name: 'DEEPSEEK_API_KEY', keyId: 'abc123', reason: 'cooling', retryAfterMs: 1_200 },
        { name: 'DEEPSEEK_API_KEY_2', keyId: 'def456', reason: 'no balance', retryAfterMs: null },
      ],
    });
    expect(presentError(error, silentLogger)).toBe(
      'No key can serve in time. Try again in a minute.\n' +
        '- DEEPSEEK_API_KEY (abc123): cooling, again in 2 s\n' +
        '- DEEPSEEK_API_KEY_2 (def456): no balance',
    );
  });

  it('shows what had been generated, cleaned and bounded', () => {
    const partial = `\u001b[1mdef f():\n${'x'.repeat(30_000)}`;
    const error = new UpstreamError('deepseek', FAILURE, 'cut', { partial });
    const text = presentError(error, silentLogger);
    expect(text).toContain('data, incomplete, the first 20,000 characters):\ndef f():');
    expect(text.length).toBeLessThan(20_200);
  });

  it('that is a bug shows an id, and its stack in the log alone', () => {
    const logged: unknown[] = [];
    const logger: Logger = { ...silentLogger, error: (_message, fields) => logged.push(fields) };
    const bug = new TypeError('cannot read secret of undefined');
    const text = presentError(bug, logger);
    const id = /^Internal error ([0-9a-f-]{36})\./.exec(text)?.[1];
    expect(text).not.toContain('secret');
    expect(logged).toEqual([{ id, error: bug }]);
  });
});
