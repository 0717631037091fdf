/** What an answer is taken apart into. */

export interface CodeBlock {
  /** As the fence or the file's name tells it; null when neither does. */
  readonly language: string | null;
  /** Where the answer names one. */
  readonly file: string | null;
  readonly code: string;
}

export interface SplitAnswer {
  /** In order; empty when the answer holds no code. None of them is blank. */
  readonly blocks: readonly CodeBlock[];
  /** The text around the blocks, trimmed; empty when there is none. */
  readonly prose: string;
}

/** Lines of prose as one text, without the gaps that blocks left in it. */
export function proseOf(lines: readonly string[]): string {
  return lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}
