const decoder = new TextDecoder('utf-8', { fatal: true });

/** The text without a byte order mark; null when a byte is not UTF-8 (never U+FFFD instead). */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}
