/**
 * Tells that a path may have changed: rewritten, replaced by rename, reached through a symlink that
 * now points elsewhere, or appeared with its folder. The folders are watched, not the file, because
 * a rename puts another file in its place. The kernel wakes us; nothing polls.
 */

import { type FSWatcher, realpathSync, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** A writer makes several events in a row; one look at the end is enough. */
const SETTLE_MS = 100;
/** When the system has no watcher left to give (inotify limit), a look now and then. */
const FALLBACK_MS = 1_000;

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function existingFolder(path: string): string {
  let folder = dirname(path);
  while (!isFolder(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/** The folder of the path, and that of the file it leads to. */
function foldersOf(path: string): string[] {
  const folders = new Set([existingFolder(path)]);
  try {
    folders.add(dirname(realpathSync(path)));
  } catch {
    // Nothing there yet, or a circle of links: its own folder tells when that changes.
  }
  return [...folders];
}

/** A folder that was deleted and made anew is another one, under the same name. */
function identity(folder: string): string {
  try {
    const { dev, ino } = statSync(folder);
    return `${folder} ${dev} ${ino}`;
  } catch {
    return folder;
  }
}

class PathWatch {
  readonly #path: string;
  readonly #onEvent: () => void;
  readonly #watchers = new Map<string, FSWatcher>();
  #settle: NodeJS.Timeout | null = null;
  #fallback: NodeJS.Timeout | null = null;
  #isStopped = false;

  constructor(path: string, onEvent: () => void) {
    this.#path = path;
    this.#onEvent = onEvent;
    this.#arm();
  }

  #arm(): void {
    const wanted = new Map(foldersOf(this.#path).map((folder) => [identity(folder), folder]));
    for (const [id, watcher] of this.#watchers) {
      if (wanted.has(id)) continue;
      watcher.close();
      this.#watchers.delete(id);
    }
    for (const [id, folder] of wanted) {
      if (!this.#watchers.has(id)) this.#watch(id, folder);
    }
  }

  #watch(id: string, folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#wake());
      watcher.on('error', () => {
        watcher.close();
        this.#watchers.delete(id);
        this.#wake();
      });
      this.#watchers.set(id, watcher);
    } catch {
      this.#fallback ??= setInterval(() => this.#wake(), FALLBACK_MS).unref();
    }
  }

  #wake(): void {
    if (this.#isStopped || this.#settle !== null) return;
    this.#settle = setTimeout(() => {
      this.#settle = null;
      this.#arm();
      this.#onEvent();
    }, SETTLE_MS).unref();
  }

  stop(): void {
    this.#isStopped = true;
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    if (this.#settle !== null) clearTimeout(this.#settle);
    if (this.#fallback !== null) clearInterval(this.#fallback);
  }
}

/**
 * @param onEvent called up to once in 100 ms, also for changes beside the path: compare contents
 * @returns stops watching
 */
export function watchPath(path: string, onEvent: () => void): () => void {
  const pathWatch = new PathWatch(path, onEvent);
  return () => pathWatch.stop();
}
