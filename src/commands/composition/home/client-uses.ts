/** When each named client called last, for `clients list`. Written by servers, now and then. */

import { join } from 'node:path';
import * as z from 'zod/mini';
import { withFileLock } from '../../../disk/file-lock.ts';
import { resolveLinks } from '../../../disk/links.ts';
import { readWholeFile } from '../../../disk/read-file.ts';
import { replaceFile, sweepOrphans } from '../../../disk/replace-file.ts';

/** Name → ISO 8601. */
export type ClientUses = Readonly<Record<string, string>>;

const USES = z.record(z.string(), z.string());
const MAX_BYTES = 1024 * 1024;
/** A client that calls all day is written down so often. */
const EVERY_MS = 60_000;

function usesPath(home: string): string {
  return join(home, 'client-uses.json');
}

/** What cannot be read says nothing: it is a convenience, and nobody's right. */
export async function readClientUses(home: string): Promise<ClientUses> {
  try {
    const { bytes } = await readWholeFile(usesPath(home), MAX_BYTES);
    return USES.parse(JSON.parse(bytes.toString('utf8')));
  } catch {
    return {};
  }
}

export class ClientUsesWriter {
  readonly #home: string;
  readonly #onError: (error: unknown) => void;
  readonly #writtenAt = new Map<string, number>();
  #writing: Promise<void> = Promise.resolve();

  /** @param onError a read-only home keeps nobody from calling */
  constructor(home: string, onError: (error: unknown) => void) {
    this.#home = home;
    this.#onError = onError;
  }

  note(name: string): void {
    const now = Date.now();
    if (now - (this.#writtenAt.get(name) ?? 0) < EVERY_MS) return;
    this.#writtenAt.set(name, now);
    this.#writing = this.#writing.then(() => this.#write(name, now)).catch(this.#onError);
  }

  async #write(name: string, at: number): Promise<void> {
    const path = await resolveLinks(usesPath(this.#home));
    await withFileLock(path, async (lock) => {
      const uses = { ...(await readClientUses(this.#home)), [name]: new Date(at).toISOString() };
      await sweepOrphans(path);
      await replaceFile(path, `${JSON.stringify(uses)}\n`, { lock });
    });
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await this.#writing;
  }
}
