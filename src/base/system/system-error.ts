/** The system's own word for a failed call, such as ENOSPC; empty when the error has none. */
export function systemCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

/** What a process or its machine may run out of, in words. */
export const SHORTAGES: Readonly<Record<string, string>> = {
  EMFILE: 'too many files are open in this process (ulimit -n)',
  ENFILE: 'too many files are open on this machine',
  ENOMEM: 'this machine has no memory left',
};

/** In words what there is too little of; null for every other failure. */
export function shortageOf(error: unknown): string | null {
  return SHORTAGES[systemCode(error)] ?? null;
}
