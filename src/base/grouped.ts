/** 400000 → "400,000"; by hand, for toLocaleString takes as long as all else that a chunk needs. */
export function grouped(count: number | string): string {
  const digits = String(count);
  const head = digits.length % 3 || 3;
  return digits.slice(0, head) + digits.slice(head).replace(/\d{3}/g, ',$&');
}
