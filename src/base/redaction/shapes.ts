/**
 * What a secret looks like when its value was never registered: somebody else's key in an
 * upstream's error. For logs alone; in a result it may be what was asked for.
 */

export const MASK = '[redacted]';

/** One unbroken piece that nobody could say aloud, as every vendor's keys have. */
function isRandom(token: string): boolean {
  return token.split(/[^A-Za-z0-9]+/).some((piece) => {
    return piece.length >= 16 && /\d/.test(piece) && /[A-Za-z]/.test(piece);
  });
}

const SHAPES = [
  /\b(?:sk|pplx|kpm1|kpc1)[-_][A-Za-z0-9_-]{16,}/g,
  /\bBearer {1,4}[A-Za-z0-9._~+/=-]{16,}/gi,
  /\bgAAAA[A-Za-z0-9_=-]{40,}/g,
];

/** Linear: no part of an expression can take what another one may. */
export function maskShapes(text: string): string {
  let clean = text;
  for (const shape of SHAPES) {
    clean = clean.replace(shape, (token) => (isRandom(token) ? MASK : token));
  }
  return clean;
}
