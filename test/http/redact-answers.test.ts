import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Redactor } from '../../src/base/redact.ts';
import { EventRedactor } from '../../src/http/redact-answers.ts';

const secret = `sk-test-${randomBytes(12).toString('hex')}`;

function pushed(bytes: Uint8Array, size: number): string {
  const redactor = new Redactor();
  redactor.use('test', [secret]);
  const events = new EventRedactor((text) => redactor.redact(text));
  let text = '';
  for (let at = 0; at < bytes.length; at += size) text += events.push(bytes.slice(at, at + size));
  return text + events.end();
}

describe('the events of an answer over HTTP', () => {
  const event = (said: string): string => `event: message\ndata: {"result":"${said}"}\n\n`;

  it('come out as they went in, wherever the stream cuts a character', () => {
    const text = event('grün, 漢字, 👩‍💻') + event('ok');
    const bytes = new TextEncoder().encode(text);
    for (const size of [1, 2, 3, 5, 7, bytes.length]) expect(pushed(bytes, size)).toBe(text);
  });

  it('lose a secret, wherever the stream cuts it', () => {
    const bytes = new TextEncoder().encode(event(`before ${secret} after`) + event('ok'));
    for (const size of [1, 2, 3, 5, 7, bytes.length]) {
      expect(pushed(bytes, size)).toBe(event('before [redacted] after') + event('ok'));
    }
  });
});
