/** The signals that ask a process to end, with the exit code that tells which one it was. */

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * @param onSignal called for each signal, with the exit code for it
 * @returns stops listening: the signals end the process again the usual way
 */
export function onEndingSignal(onSignal: (exitCode: number) => void): () => void {
  const removals = ENDING_SIGNALS.map((name) => {
    const listener = (): void => onSignal(EXIT_CODES[name]);
    process.on(name, listener);
    return () => void process.off(name, listener);
  });
  return () => {
    for (const remove of removals) remove();
  };
}
