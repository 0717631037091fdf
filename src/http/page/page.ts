/** The page: gets its token, asks once a second, shows what it hears. */

import type { PoolSnapshot } from '../../pool/snapshot.ts';
import type { SharingView } from '../../sharing/sharing-view.ts';
import type { HistoryView, Sample } from '../api/history-view.ts';
import { find, setAttribute, setText } from './drawing/elements.ts';
import { merge } from './drawing/series.ts';
import { followTheme } from './drawing/theme.ts';
import { Health } from './health-section.ts';
import { MoneySection } from './money/money-section.ts';
import { Processes } from './processes-section.ts';
import { ask, keepToken, RequestRefused, takeToken } from './session.ts';
import { SettingsView } from './settings-section.ts';

const POLL_MS = 1_000;
const RETRY_MS = 3_000;
const TICK_MS = 250;
const SAMPLES = 150;

interface Status extends PoolSnapshot {
  readonly environment?: string | null;
  readonly sharing?: SharingView;
  readonly store?: { readonly state: string; readonly reason?: string; readonly next?: string };
}

const health = new Health();
const processes = new Processes();
const money = new MoneySection();
const settings = new SettingsView();
let samples: Sample[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;
let storeState = '';
let round = 0;

function showLive(state: 'on' | 'wait' | 'off', text: string): void {
  const live = find('live', HTMLElement);
  setAttribute(live, 'data-state', state);
  setText(find('live-text', HTMLElement), text);
}

function showGate(why: string | null): void {
  setAttribute(find('gate', HTMLElement), 'hidden', null);
  setAttribute(find('content', HTMLElement), 'hidden', true);
  if (why !== null) setText(find('gate-why', HTMLElement), why);
  showLive('off', 'No token');
  find('gate-token', HTMLInputElement).focus();
}

function showProblem(status: Status): void {
  const { state = 'open', reason = '', next = '' } = status.store ?? {};
  const isBad = state === 'unavailable';
  const problem = find('problem', HTMLElement);
  setText(
    problem,
    isBad ? `No key store is open: ${reason}. ${next === '' ? '' : `Next: ${next}.`}` : '',
  );
  setAttribute(problem, 'hidden', !isBad);
}

async function look(): Promise<void> {
  const [status, history] = await Promise.all([
    ask<Status>('GET', '/api/status'),
    ask<HistoryView>('GET', `/api/history?since=${samples.at(-1)?.at ?? 0}`),
  ]);
  samples = merge(samples, history.samples, SAMPLES);
  setAttribute(find('gate', HTMLElement), 'hidden', true);
  setAttribute(find('content', HTMLElement), 'hidden', null);
  showLive('on', 'Live');
  showProblem(status);
  health.show(status, samples);
  processes.show(status.sharing);
  if (history.samples.length > 0) health.draw(samples);
  const state = `${status.environment ?? ''} ${status.store?.state ?? ''}`;
  // The store changes by other hands too: the list follows every few seconds.
  if (state !== storeState || round % 5 === 0) {
    await Promise.all([settings.refresh(), money.refresh()]);
  }
  storeState = state;
  round++;
}

async function run(): Promise<void> {
  clearTimeout(timer);
  let wait = POLL_MS;
  try {
    if (!document.hidden) await look();
  } catch (error) {
    if (error instanceof RequestRefused && error.status === 401) {
      keepToken(null);
      showGate(
        'This token is not the one of the running server. Open the page anew with keypool-mcp dashboard, or paste the token here.',
      );
      return;
    }
    wait = RETRY_MS;
    showLive('off', 'Not connected');
  }
  timer = setTimeout(() => void run(), wait);
}

function start(): void {
  if (takeToken() === null) showGate(null);
  else void run();
}

find('gate', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  const field = find('gate-token', HTMLInputElement);
  keepToken(field.value.trim());
  field.value = '';
  void run();
});
addEventListener('hashchange', () => {
  if (location.hash.startsWith('#token=')) start();
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && takeToken() !== null) void run();
});
setInterval(() => health.tick(Date.now()), TICK_MS);
followTheme(() => health.redraw());
start();
