import { describe, expect, it } from 'vitest';
import { canarySecret, findLeaks } from '../../lab/canary.ts';

const secret = canarySecret();

function formsFound(content: string | Buffer): string[] {
  return findLeaks([secret], [{ name: 'sink', content }]).leaks.map((leak) => leak.form);
}

describe('the canary', () => {
  it.each<[string, (text: string) => string | Buffer]>([
    ['plain', (text) => `a ${text} b`],
    ['any eight characters', (text) => `…${text.slice(20, 28)}…`],
    ['key id and two more', (text) => text.slice(-8)],
    ['base64', (text) => Buffer.from(text).toString('base64')],
    ['base64url', (text) => Buffer.from(text).toString('base64url')],
    [
      'base64 of a header, whatever the offset',
      (text) => Buffer.from(`x ${text}`).toString('base64'),
    ],
    ['hex', (text) => Buffer.from(text).toString('hex')],
    ['upper-case hex', (text) => Buffer.from(text).toString('hex').toUpperCase()],
    ['URL escapes', (text) => text.replace(/./g, (c) => `%${c.charCodeAt(0).toString(16)}`)],
    ['JSON escapes', (text) => text.replace(/./g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`)],
    ['HTML entities', (text) => text.replace(/./g, (c) => `&#${c.charCodeAt(0)};`)],
    ['broken over lines', (text) => text.replace(/.{5}/g, '$&\n  ')],
    ['UTF-16', (text) => Buffer.from(text, 'utf16le')],
    ['reversed', (text) => [...text].reverse().join('')],
  ])('is found as %s', (_, hide) => {
    expect(formsFound(hide(secret))).not.toEqual([]);
  });

  it('may show its key id, masked as the product masks it', () => {
    expect(formsFound(`sk-…${secret.slice(-6)} "${secret.slice(-6)}"`)).toEqual([]);
  });

  it('names the sinks that were searched and never the secret', () => {
    const report = findLeaks([secret], [{ name: 'stdout', content: secret }]);
    expect(report.searched).toEqual(['stdout (47 bytes)']);
    expect(
      findLeaks([secret], [{ name: 'report', content: JSON.stringify(report) }]).leaks,
    ).toEqual([]);
  });
});
