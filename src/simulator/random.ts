/** Seeded randomness: the same seed and the same requests give the same bytes. */

export type Random = () => number;

/** mulberry32: 32 bits of state, uniform in [0, 1); small, fast, and good enough for a fake. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** FNV-1a over UTF-16 units: a stable 32-bit number for any text. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash >>> 0;
}

export function pick<T>(random: Random, choices: readonly [T, ...T[]]): T {
  return choices[Math.floor(random() * choices.length)] ?? choices[0];
}

/** Deals `items` for ever, shuffled anew each time all were dealt: no repetition side by side. */
export function* deal<T>(random: Random, items: readonly T[]): Generator<T, never> {
  for (;;) {
    const deck = [...items];
    while (deck.length > 0) yield* deck.splice(Math.floor(random() * deck.length), 1);
  }
}

/** A UUID whose bits come from `random`. */
export function seededUuid(random: Random): string {
  const hex = seededHex(random, 32);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20),
  ].join('-');
}

export function seededHex(random: Random, length: number): string {
  let hex = '';
  while (hex.length < length) {
    hex += Math.floor(random() * 0x1_0000)
      .toString(16)
      .padStart(4, '0');
  }
  return hex.slice(0, length);
}
