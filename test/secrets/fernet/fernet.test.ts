import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decryptFernet, encryptFernet } from '../../../src/secrets/fernet/fernet.ts';

/** The key of the specification's vectors (generate.json, verify.json, invalid.json). */
const KEY = Buffer.from('cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=', 'base64url');
const HELLO =
  'gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==';
const seconds = (text: string): number => Date.parse(text) / 1000;

describe('the vectors of the specification', () => {
  it('generates the token of generate.json', () => {
    const iv = Buffer.from(Array.from({ length: 16 }, (_, index) => index));
    const now = seconds('1985-10-26T01:20:00-07:00');
    expect(encryptFernet(KEY, Buffer.from('hello'), { now, iv })).toBe(HELLO);
  });

  it('verifies the token of verify.json within its time to live', () => {
    const now = seconds('1985-10-26T01:20:01-07:00');
    const message = decryptFernet(KEY, HELLO, { now, ttlSeconds: 60 });
    expect(message?.plaintext.toString()).toBe('hello');
  });

  it.each([
    [
      'incorrect mac',
      '01:20:01',
      'gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykQUFBQUFBQUFBQQ==',
    ],
    ['too short', '01:20:01', 'gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPA=='],
    [
      'invalid base64',
      '01:20:01',
      '%%%%%%%%%%%%%AECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==',
    ],
    [
      'payload size not multiple of block size',
      '01:20:01',
      'gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPOm73QeoCk9uGib28Xe5vz6oxq5nmxbx_v7mrfyudzUm',
    ],
    [
      'payload padding error',
      '01:20:01',
      'gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0ODz4LEpdELGQAad7aNEHbf-JkLPIpuiYRLQ3RtXatOYREu2FWke6CnJNYIbkuKNqOhw==',
    ],
    [
      'far-future timestamp',
      '01:20:01',
      'gAAAAAAdwStRAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAnja1xKYyhd-Y6mSkTOyTGJmw2Xc2a6kBd-iX9b_qXQcw==',
    ],
    [
      'expired',
      '01:21:31',
      'gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==',
    ],
    [
      'incorrect IV (padding error)',
      '01:20:01',
      'gAAAAAAdwJ6xBQECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAkLhFLHpGtDBRLRTZeUfWgHSv49TF2AUEZ1TIvcZjK1zQ==',
    ],
  ])('refuses invalid.json: %s', (_description, time, token) => {
    const now = seconds(`1985-10-26T${time}-07:00`);
    expect(decryptFernet(KEY, token, { now, ttlSeconds: 60 })).toBeNull();
  });

  it('takes the expired one when no time to live was asked for', () => {
    expect(decryptFernet(KEY, HELLO)?.timestamp).toBe(499162800n);
  });
});

describe('a token', () => {
  it('gives back any bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (plaintext, key) => {
          const message = decryptFernet(key, encryptFernet(key, plaintext));
          expect(message?.plaintext.equals(plaintext)).toBe(true);
        },
      ),
    );
  });

  it('is refused with any one bit of any byte changed', () => {
    const bytes = Buffer.from(HELLO, 'base64url');
    for (let at = 0; at < bytes.length * 8; at++) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(at >> 3) ^ (1 << (at & 7)), at >> 3);
      const token = changed.toString('base64url').padEnd(HELLO.length, '=');
      expect(decryptFernet(KEY, token), `bit ${at}`).toBeNull();
    }
  });

  it.each([
    ['white space', ` ${HELLO}`],
    ['a newline', `${HELLO}\n`],
    ['trailing bytes', `${HELLO}AAAA`],
    ['missing padding', HELLO.slice(0, -2)],
    ['extra padding', `${HELLO}=`],
    ['stray bits before the padding', HELLO.replace('DA==', 'DB==')],
    ['the other alphabet', HELLO.replaceAll('-', '+').replaceAll('_', '/')],
    ['nothing', ''],
  ])('is refused with %s', (_description, token) => {
    expect(decryptFernet(KEY, token)).toBeNull();
  });
});
