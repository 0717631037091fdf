/** `POST /search`: ranked pages, or one of the ways in which that goes wrong. */

import { SEARCH_PRICE } from '../bill/tariff.ts';
import { seededUuid } from '../random.ts';
import { HOSTILE_TEXT } from '../text.ts';
import { JSON_TYPE, stray, type Turn } from '../turn.ts';
import { type Page, searchPages } from './perplexity-corpus.ts';
import { readSearch } from './perplexity-request.ts';

const DEFAULT_TTFT_MS = 5;
const SLOW_PIECES = 8;
const HUGE_CHARACTERS = 2_000_000;

/** Results as the fault leaves them. */
function struck(pages: Page[], fault: string): readonly Page[] {
  const [first, ...rest] = pages;
  if (fault === 'empty_results' || first === undefined) return [];
  if (fault === 'null_dates') {
    return pages.map((page) => ({ ...page, date: null, last_updated: null }));
  }
  if (fault === 'empty_snippet') return [{ ...first, snippet: '' }, ...rest];
  if (fault === 'huge_snippet') {
    const times = Math.ceil(HUGE_CHARACTERS / first.snippet.length);
    return [{ ...first, snippet: `# Everything\n\n${first.snippet.repeat(times)}` }, ...rest];
  }
  if (fault === 'hostile_text') {
    const title = `\u001b[31m${first.title}\u202e`;
    return [{ ...first, title, snippet: `${HOSTILE_TEXT}\n${first.snippet}` }, ...rest];
  }
  return pages;
}

const UNDOCUMENTED = { score: 0.93, favicon: null, highlights: [{ text: 'x', offsets: [0, 1] }] };

export async function search(turn: Turn): Promise<void> {
  const { exchange, key } = turn;
  const fault = turn.step?.fault ?? 'ok';
  const now = Date.now();
  const read = readSearch(turn.body, now);
  if ('refusal' in read) {
    turn.call.fault = 'refused';
    return await exchange.send(read.refusal.status, read.refusal.body, read.refusal.headers);
  }
  const { queries, filters, serverTime } = read.query;
  const results = struck(searchPages(queries, filters, turn.seed, now), fault);
  const id = seededUuid(turn.random);
  turn.call.responseId = id;
  const hasExtras = fault === 'unknown_fields';
  const extended = hasExtras ? results.map((page) => ({ ...page, ...UNDOCUMENTED })) : results;
  const text = JSON.stringify({
    id,
    results: fault === 'null_results' ? null : extended,
    ...(serverTime ? { server_time: new Date(now).toISOString() } : {}),
    ...(hasExtras ? { usage: { searches: queries.length }, experimental: [1, null, {}] } : {}),
  });
  await exchange.wait(stray(turn, key.behaviour.ttftMs ?? DEFAULT_TTFT_MS));
  chargeSearch(turn);
  await sendResults(turn, fault, text);
}

/** The search was done, whether or not its answer arrives. */
function chargeSearch({ account: { purse }, wallNow }: Turn): void {
  const at = wallNow();
  purse.charge({
    provider: 'perplexity',
    model: 'search',
    amount: SEARCH_PRICE,
    currency: 'USD',
    at,
  });
}

async function sendResults(turn: Turn, fault: string, text: string): Promise<void> {
  const { exchange } = turn;
  const delayMs = turn.step?.delayMs ?? 250;
  const part = text.slice(0, Math.ceil(text.length * (turn.step?.after ?? 0.5)));
  exchange.head(200, JSON_TYPE);
  if (fault === 'keep_alive_for_ever') {
    for (;;) {
      await exchange.write('\n');
      await exchange.wait(delayMs);
    }
  }
  if (fault === 'slow_body') {
    const size = Math.ceil(text.length / SLOW_PIECES);
    for (let at = 0; at < text.length; at += size) {
      await exchange.write(text.slice(at, at + size));
      await exchange.wait(delayMs);
    }
    return exchange.end();
  }
  const isBroken = ['broken_json', 'cut', 'silent', 'reset_mid_content'].includes(fault);
  await exchange.write(isBroken ? part : text);
  if (fault === 'silent') await exchange.silence();
  if (fault !== 'reset_mid_content') return exchange.end();
  await exchange.wait(20);
  exchange.reset();
}
