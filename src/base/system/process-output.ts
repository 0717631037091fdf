/**
 * What else a process may say while it serves: a dependency's console, node's warnings, a crash.
 * All of it becomes log lines, so that it is JSON and passes the redactor.
 */

import { format } from 'node:util';
import type { Logger } from '../logger.ts';

const CONSOLE = {
  debug: 'debug',
  trace: 'debug',
  log: 'info',
  info: 'info',
  dir: 'info',
  table: 'info',
  warn: 'warn',
  error: 'error',
} as const;

function claimConsole(logger: Logger): void {
  for (const [method, level] of Object.entries(CONSOLE)) {
    Reflect.set(console, method, (...args: unknown[]) => logger[level](format(...args)));
  }
}

/** Node prints its own warnings to stderr as text. */
function claimWarnings(logger: Logger): void {
  process.removeAllListeners('warning');
  process.on('warning', (warning) => logger.warn(warning.message, { warning: warning.name }));
}

/** On this signal node would open a debugger's port, behind which all keys lie. */
function refuseInspector(logger: Logger): void {
  if (process.platform === 'win32') return;
  process.on('SIGUSR1', () => logger.warn('SIGUSR1 opens no debugger while keys are served'));
}

/**
 * What nobody caught is a bug of ours or a dependency's. node would print its stack as text and
 * take every call in flight with it; here it is logged, and `onCrash` ends the server in order.
 */
function claimCrashes(logger: Logger, onCrash: () => void): void {
  process.on('unhandledRejection', (error) => logger.error('unhandled rejection', { error }));
  process.on('uncaughtException', (error) => {
    logger.error('uncaught exception', { error });
    onCrash();
  });
}

/**
 * For the rest of the process's life; called once by whatever serves.
 *
 * @param onCrash ends the server in order; may be called more than once
 */
export function claimProcess(logger: Logger, onCrash: () => void): void {
  claimConsole(logger);
  claimWarnings(logger);
  refuseInspector(logger);
  claimCrashes(logger, onCrash);
}
