/** How far a batch is: one line, drawn over itself on a terminal, now and then elsewhere. */

import type { WriteStream } from 'node:tty';

export interface Progress {
  /** Tasks of the whole file. */
  readonly total: number;
  /** Done in an earlier run. */
  readonly before: number;
  /** Done in this run, failures included. */
  readonly finished: number;
  readonly failed: number;
  readonly elapsedMs: number;
}

/** `45 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

function rate(perSecond: number): string {
  return perSecond >= 1 ? `${perSecond.toFixed(1)}/s` : `${(perSecond * 60).toFixed(1)}/min`;
}

/** Done of total, rate and time left, as far as they can be known. */
export function progressText(progress: Progress): string {
  const { total, before, finished, failed, elapsedMs } = progress;
  const done = before + finished;
  const percent = total === 0 ? 100 : Math.floor((done / total) * 100);
  const parts = [`${done}/${total}`, `${percent} %`];
  if (finished > 0 && elapsedMs > 0) {
    parts.push(rate((finished / elapsedMs) * 1000));
    if (done < total) parts.push(`${duration(((total - done) / finished) * elapsedMs)} left`);
  }
  if (failed > 0) parts.push(`${failed} failed`);
  return parts.join('  ');
}

/** The text with a bar before it, `columns` wide at most. */
export function progressBar(progress: Progress, columns: number): string {
  const text = progressText(progress);
  const width = Math.min(30, columns - text.length - 5);
  if (width < 5) return text.slice(0, Math.max(0, columns - 1));
  const share = progress.total === 0 ? 1 : (progress.before + progress.finished) / progress.total;
  const filled = Math.floor(share * width);
  return `[${'#'.repeat(filled)}${'-'.repeat(width - filled)}]  ${text}`;
}

const TERMINAL_MS = 200;
const PLAIN_MS = 5_000;

type Output = Pick<WriteStream, 'write'> & { readonly isTTY?: boolean; readonly columns?: number };

/**
 * Shows progress until the returned function is called, which leaves the last state standing.
 *
 * @param output stderr
 */
export function showProgress(output: Output, current: () => Progress): () => void {
  const isTerminal = output.isTTY === true;
  const draw = (): void => {
    if (isTerminal) output.write(`\r\u001B[K${progressBar(current(), output.columns ?? 80)}`);
    else output.write(`${progressText(current())}\n`);
  };
  const timer = setInterval(draw, isTerminal ? TERMINAL_MS : PLAIN_MS);
  if (isTerminal) draw();
  return () => {
    clearInterval(timer);
    draw();
    if (isTerminal) output.write('\n');
  };
}
