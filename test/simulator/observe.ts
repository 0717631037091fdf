/** What a plain HTTP client sees of one answer, however it ends. */

export interface Observed {
  readonly status: number | null;
  readonly headers: Headers | null;
  readonly text: string;
  /** `whole`, `reset` (connection broke), or `open` (still open when we stopped looking). */
  readonly end: 'whole' | 'reset' | 'open';
}

const TICK_MS = 20;

/** Over after so many milliseconds in which this process could act, and the simulator in it. */
function whileAwake(ms: number): AbortSignal {
  const controller = new AbortController();
  let left = ms;
  const timer = setInterval(() => {
    left -= TICK_MS;
    if (left > 0) return;
    clearInterval(timer);
    controller.abort();
  }, TICK_MS).unref();
  return controller.signal;
}

export async function observe(
  url: string,
  init: RequestInit,
  patienceMs = 10_000,
): Promise<Observed> {
  const signal = whileAwake(patienceMs);
  let status: number | null = null;
  let headers: Headers | null = null;
  let text = '';
  try {
    const response = await fetch(url, { ...init, redirect: 'manual', signal });
    status = response.status;
    headers = response.headers;
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
    return { status, headers, text, end: 'whole' };
  } catch {
    return { status, headers, text, end: signal.aborted ? 'open' : 'reset' };
  }
}

/** Data of every `data:` line that is JSON. */
export function sseData(text: string): unknown[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .flatMap((line) => {
      try {
        return [JSON.parse(line.slice(6))];
      } catch {
        return [];
      }
    });
}
