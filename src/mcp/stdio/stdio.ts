/**
 * MCP on stdin and stdout. Owns the lines, because both SDKs leave gaps there (a line over their
 * limit ends the process, a line of garbage is never answered), and the end of the process,
 * because a server must not outlive its client.
 */

import type { Readable, Writable } from 'node:stream';
import type { Logger } from '../../base/logger.ts';
import { claimProcess } from '../../base/system/process-output.ts';
import { onEndingSignal } from '../../base/system/signals.ts';
import { within } from '../../base/system/within.ts';
import { unknownClient } from '../client-facts.ts';
import { KeptResults } from '../kept-results.ts';
import type { ServerHost } from '../server-host.ts';
import { Connection } from './connection.ts';
import { LineWriter, type Write } from './line-writer.ts';
import { claimStdout } from './stray-output.ts';

export interface StdioOptions {
  readonly input: Readable;
  readonly output: Writable;
  readonly host: ServerHost;
  readonly logger: Logger;
  /** Ends the server as a signal of the operating system would. */
  readonly signal?: AbortSignal;
}

/** After the end of input: calls that are nearly done may still answer, the rest is aborted. */
const DRAIN_MS = 500;
/** For aborted calls to let go, and for the last lines to be taken. */
const FLUSH_MS = 200;
/** A burst of calls waits for what all of them need, or it would come down at once when that is
 * there; a store on a slow disk holds up nothing but calls. */
const PREPARE_MS = 1_000;

/** Why serving ends. `left`: the client closed its end; calls in flight may finish. */
type Ending = 'left' | 'stopped' | 'broken' | 'crashed';

function writeOf(output: Writable, logger: Logger): Write {
  if (output === process.stdout) return claimStdout(logger);
  return (text, done) => void output.write(text, done);
}

/** Everything that can end the server; `end` may be called more than once. */
function watchEnds(options: StdioOptions, end: (ending: Ending) => void): () => void {
  const { input, output, signal } = options;
  const stop = () => end('stopped');
  const leave = () => end('left');
  const breakOff = () => end('broken');
  input.once('end', leave).once('close', leave).on('error', leave);
  output.on('error', breakOff).once('close', breakOff);
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted === true) stop();
  const ownsProcess = input === process.stdin;
  const ignoreSignals = ownsProcess ? onEndingSignal(stop) : null;
  if (ownsProcess) claimProcess(options.logger, () => end('crashed'));
  return () => {
    signal?.removeEventListener('abort', stop);
    ignoreSignals?.();
  };
}

/**
 * Serves until the client leaves, a signal comes or the output breaks.
 *
 * @returns the exit code
 */
export async function serveStdio(options: StdioOptions): Promise<number> {
  const { host, logger } = options;
  let end: (ending: Ending) => void = () => {};
  const ended = new Promise<Ending>((resolve) => {
    end = resolve;
  });
  const writer = new LineWriter({
    write: writeOf(options.output, logger),
    redact: (text) => host.redact(text),
    onBroken: () => end('broken'),
  });
  const client = unknownClient();
  const server = { host, logger, session: 'stdio', results: new KeptResults(), client };
  const prepared = async <Module>(loading: Promise<Module>): Promise<Module> => {
    const preparing = host.prepare?.() ?? Promise.resolve();
    const [loaded] = await Promise.all([loading, within(PREPARE_MS, preparing)]);
    return loaded;
  };
  const connection = new Connection({
    writer,
    logger,
    client,
    open: {
      legacy: async (send) =>
        (await prepared(import('../legacy/legacy-server.ts'))).openLegacyServer(server, send),
      modern: async (send) =>
        (await prepared(import('../modern/modern-server.ts'))).openModernServer(server, send),
    },
  });
  const unwatch = watchEnds(options, end);
  connection.readFrom(options.input);
  const ending = await ended;
  if (ending === 'left') await within(DRAIN_MS, connection.whenIdle());
  await within(FLUSH_MS, connection.close());
  if (ending !== 'broken') await within(FLUSH_MS, writer.whenBelow(0));
  writer.break();
  options.input.pause();
  unwatch();
  return ending === 'crashed' ? 1 : 0;
}
