/** What a person watching the demo sees: plain lines, coloured on a terminal. */

import { styleText } from 'node:util';
import type { BreakerState, KeySnapshot } from '../../pool/snapshot.ts';

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';

/** One tool call as its client saw it. */
export interface DemoCall {
  readonly number: number;
  readonly tool: string;
  readonly ok: boolean;
  readonly keyName: string | null;
  readonly attempts: number;
  readonly durationMs: number;
  /** What came back, in a few words. */
  readonly summary: string;
}

export interface DemoClaim {
  readonly text: string;
  readonly observed: boolean;
}

const NAME_WIDTH = 22;
const BAR_WIDTH = 10;

const BREAKER_STYLE: Readonly<Record<BreakerState, Style>> = {
  closed: 'green',
  'half-open': 'yellow',
  open: 'red',
};

export class DemoView {
  readonly #write: (line: string) => void;
  readonly #color: boolean;

  constructor(write: (line: string) => void, color: boolean) {
    this.#write = write;
    this.#color = color;
  }

  title(): void {
    this.#write('');
    this.#write(`${this.#paint('bold', 'Keypool MCP')} ${this.#paint('dim', '· demo')}`);
    this.#write(
      'The upstreams are simulated: DeepSeek and Perplexity are played by a program on this\n' +
        'machine, the keys are made up, and nothing goes out to the network.',
    );
  }

  step(number: number, title: string): void {
    this.#write('');
    this.#write(`${this.#paint('cyan', String(number))}  ${this.#paint('bold', title)}`);
  }

  fact(label: string, text: string): void {
    this.#write(`   ${this.#paint('dim', label.padEnd(9))}${text}`);
  }

  call(record: DemoCall): void {
    const mark = record.ok ? this.#paint('green', '✓') : this.#paint('red', '✗');
    const attempts =
      record.attempts > 1
        ? this.#paint('yellow', `${record.attempts} attempts`)
        : this.#paint('dim', '1 attempt ');
    const number = this.#paint('dim', `#${String(record.number).padEnd(3)}`);
    const time = `${record.durationMs.toFixed(0).padStart(5)} ms`;
    const key = (record.keyName ?? 'no key').padEnd(NAME_WIDTH);
    this.#write(`   ${mark} ${number} ${key}${time}   ${attempts}  ${record.summary}`);
  }

  keys(keys: readonly KeySnapshot[]): void {
    this.#write(
      this.#paint(
        'dim',
        `     ${'key'.padEnd(NAME_WIDTH + 8)}${'score'.padEnd(16)}${'breaker'.padEnd(12)}served  failed`,
      ),
    );
    for (const key of keys) this.#write(this.#keyRow(key));
  }

  claims(claims: readonly DemoClaim[]): void {
    for (const claim of claims) {
      const mark = claim.observed ? this.#paint('green', '✓') : this.#paint('red', '✗');
      this.#write(`   ${mark} ${claim.text}`);
    }
  }

  ending(ok: boolean, seconds: string): void {
    this.#write('');
    this.#write(
      ok
        ? `${this.#paint('green', 'Everything above was observed')} in ${seconds} s; nothing was left behind.`
        : this.#paint('red', 'Something above was not observed; the demo fails.'),
    );
    if (ok) {
      this.#write(
        this.#paint('dim', 'Next: keypool-mcp init, then keypool-mcp keys add DEEPSEEK_API_KEY'),
      );
    }
    this.#write('');
  }

  #keyRow(key: KeySnapshot): string {
    const filled = Math.round((key.score / 100) * BAR_WIDTH);
    const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
    const style = BREAKER_STYLE[key.breaker];
    const again =
      key.breaker === 'open' && key.retryInMs !== null
        ? this.#paint('dim', `  tried again in ${(key.retryInMs / 1000).toFixed(1)} s`)
        : '';
    return (
      `     ${key.name.padEnd(NAME_WIDTH)}${this.#paint('dim', key.keyId.padEnd(8))}` +
      `${this.#paint(style, bar)} ${String(Math.round(key.score)).padStart(3)}  ` +
      `${this.#paint(style, key.breaker.padEnd(12))}` +
      `${String(key.successes).padStart(6)}${String(key.failures).padStart(8)}${again}`
    );
  }

  #paint(style: Style, text: string): string {
    return this.#color ? styleText(style, text) : text;
  }
}
