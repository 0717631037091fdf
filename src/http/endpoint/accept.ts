/** Accept headers in all the forms that clients write them; both SDKs look for one spelling. */

interface Range {
  readonly type: string;
  readonly isRefused: boolean;
}

function rangesOf(header: string): Range[] {
  return header.split(',').map((part) => {
    const [type = '', ...parameters] = part.split(';').map((each) => each.trim().toLowerCase());
    return { type, isRefused: parameters.some((each) => /^q=0(?:\.0*)?$/.test(each)) };
  });
}

/** The most exact range that names the type decides. */
function accepts(ranges: readonly Range[], type: string): boolean {
  const [group = ''] = type.split('/');
  const found = [type, `${group}/*`, '*/*'].flatMap((name) =>
    ranges.filter((range) => range.type === name),
  );
  return found[0]?.isRefused === false;
}

const NEEDED = ['application/json', 'text/event-stream'];

/**
 * The header as the SDKs read it, without what the client does not take.
 *
 * @param header undefined: the client takes anything
 */
export function plainAccept(header: string | undefined): string {
  const ranges = rangesOf(header === undefined || header.trim() === '' ? '*/*' : header);
  return NEEDED.filter((type) => accepts(ranges, type)).join(', ');
}
