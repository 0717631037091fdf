/** Bytes of a text file as people have them → text. Pure. */

export interface DecodedText {
  readonly text: string;
  readonly encoding: 'utf-8' | 'utf-16le' | 'utf-16be' | 'gb18030' | 'windows-1252';
}

function decode(bytes: Uint8Array, encoding: DecodedText['encoding']): DecodedText | null {
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    return { text: text.replace(/^\uFEFF/, ''), encoding };
  } catch {
    // Not in this encoding, or a Node without its tables.
    return null;
  }
}

/** UTF-16 without a mark: in what people write here, every other byte is zero. */
function utf16Without(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | null {
  const head = bytes.subarray(0, 4_096);
  const zeros = [0, 0];
  for (const [at, byte] of head.entries()) if (byte === 0) zeros[at % 2] = (zeros[at % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros;
  const most = head.length / 2;
  if (odd > most * 0.6 && even < most * 0.1) return 'utf-16le';
  return even > most * 0.6 && odd < most * 0.1 ? 'utf-16be' : null;
}

/** In Chinese the bytes beyond ASCII stand in pairs; umlauts and accents stand alone among letters. */
function looksWestern(bytes: Uint8Array): boolean {
  const isHigh = (at: number): boolean => (bytes[at] ?? 0) >= 0x80;
  let [high, alone] = [0, 0];
  for (let at = 0; at < bytes.length; at++) {
    if (!isHigh(at)) continue;
    high++;
    if (!isHigh(at - 1) && !isHigh(at + 1)) alone++;
  }
  return alone * 2 > high;
}

/**
 * UTF-8, UTF-16 with and without a mark (PowerShell's `>`, Notepad), GBK, Windows-1252.
 *
 * @returns null when the bytes are no text
 */
export function decodeText(bytes: Uint8Array): DecodedText | null {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return decode(bytes, 'utf-16le');
  if (first === 0xfe && second === 0xff) return decode(bytes, 'utf-16be');
  if (bytes.includes(0)) {
    const encoding = bytes.length % 2 === 0 ? utf16Without(bytes) : null;
    return encoding === null ? null : decode(bytes, encoding);
  }
  const unicode = decode(bytes, 'utf-8');
  if (unicode !== null) return unicode;
  if (looksWestern(bytes)) return decode(bytes, 'windows-1252');
  return decode(bytes, 'gb18030') ?? decode(bytes, 'windows-1252');
}
