/** Small programs to answer with: what is asked for most, in two languages, and a fallback. */

export interface AnswerLanguage {
  readonly fence: string;
  readonly comment: string;
  readonly mentions: RegExp;
}

export interface AnswerProgram {
  readonly summary: string;
  readonly code: string;
}

const TYPESCRIPT: AnswerLanguage = {
  fence: 'typescript',
  comment: '//',
  mentions: /\btypescript\b|\bts\b/i,
};
const PYTHON: AnswerLanguage = { fence: 'python', comment: '#', mentions: /\bpython\b|\bpy\b/i };

const LANGUAGES: readonly AnswerLanguage[] = [
  TYPESCRIPT,
  { fence: 'javascript', comment: '//', mentions: /\bjavascript\b|\bjs\b|\bnode\b/i },
  PYTHON,
  { fence: 'rust', comment: '//', mentions: /\brust\b/i },
  { fence: 'go', comment: '//', mentions: /\bgolang\b|\bin go\b|\blanguage: go\b/i },
  { fence: 'java', comment: '//', mentions: /\bjava\b/i },
  { fence: 'sql', comment: '--', mentions: /\bsql\b/i },
  { fence: 'bash', comment: '#', mentions: /\bbash\b|\bshell\b/i },
];

/** The language that the prompt names first; Python when it names none. */
export function findLanguage(prompt: string): AnswerLanguage {
  let first: AnswerLanguage = PYTHON;
  let at = Number.POSITIVE_INFINITY;
  for (const language of LANGUAGES) {
    const place = prompt.search(language.mentions);
    if (place !== -1 && place < at) {
      first = language;
      at = place;
    }
  }
  return first;
}

interface Topic {
  readonly mentions: RegExp;
  readonly summary: string;
  readonly python: string;
  readonly typescript: string;
}

const DEBOUNCE: Topic = {
  mentions: /debounce/i,
  summary: 'A debounced function runs once, after the calls have paused.',
  python: `import threading


def debounce(wait):
    """Run the function once, \`wait\` seconds after the last call."""

    def decorate(function):
        timer = None

        def debounced(*args, **kwargs):
            nonlocal timer
            if timer is not None:
                timer.cancel()
            timer = threading.Timer(wait, function, args, kwargs)
            timer.start()

        return debounced

    return decorate`,
  typescript: `export function debounce<Args extends unknown[]>(
  run: (...args: Args) => void,
  waitMs: number,
): (...args: Args) => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...args), waitMs);
  };
}`,
};

const LRU: Topic = {
  mentions: /\blru\b|\bcache/i,
  summary: 'A cache that forgets the entry that was used least recently.',
  python: `from collections import OrderedDict


class LruCache:
    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._entries: OrderedDict = OrderedDict()

    def get(self, key, default=None):
        if key not in self._entries:
            return default
        self._entries.move_to_end(key)
        return self._entries[key]

    def put(self, key, value) -> None:
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._capacity:
            self._entries.popitem(last=False)`,
  typescript: `export class LruCache<K, V> {
  readonly #entries = new Map<K, V>();

  constructor(private readonly capacity: number) {}

  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  put(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    const oldest = this.#entries.keys().next();
    if (this.#entries.size > this.capacity && !oldest.done) this.#entries.delete(oldest.value);
  }
}`,
};

const RETRY: Topic = {
  mentions: /\bretr(?:y|ies)|back-?off/i,
  summary: 'Retries with exponential backoff and full jitter, up to a limit.',
  python: `import random
import time


def retry(call, attempts=5, base=0.5, cap=10.0):
    """Call until it succeeds; sleep a random share of base * 2**n in between."""
    for attempt in range(attempts):
        try:
            return call()
        except Exception:
            if attempt == attempts - 1:
                raise
            time.sleep(random.uniform(0, min(cap, base * 2**attempt)))`,
  typescript: `export async function retry<T>(
  call: () => Promise<T>,
  { attempts = 5, baseMs = 500, capMs = 10_000 } = {},
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (attempt >= attempts - 1) throw error;
      const ceiling = Math.min(capMs, baseMs * 2 ** attempt);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * ceiling));
    }
  }
}`,
};

const SEARCH: Topic = {
  mentions: /binary search|bisect/i,
  summary: 'Binary search over a sorted list: the index, or -1.',
  python: `def binary_search(items, target):
    low, high = 0, len(items) - 1
    while low <= high:
        middle = (low + high) // 2
        if items[middle] == target:
            return middle
        if items[middle] < target:
            low = middle + 1
        else:
            high = middle - 1
    return -1`,
  typescript: `export function binarySearch(items: readonly number[], target: number): number {
  let low = 0;
  let high = items.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const value = items[middle];
    if (value === target) return middle;
    if (value !== undefined && value < target) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}`,
};

const FIBONACCI: Topic = {
  mentions: /fibonacci/i,
  summary: 'Fibonacci numbers, iterative, one at a time.',
  python: `def fibonacci(n: int) -> int:
    if n < 0:
        raise ValueError("n must not be negative")
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a`,
  typescript: `export function fibonacci(n: number): bigint {
  if (!Number.isInteger(n) || n < 0) throw new RangeError('n must be a whole number, 0 or more');
  let a = 0n;
  let b = 1n;
  for (let step = 0; step < n; step++) [a, b] = [b, a + b];
  return a;
}`,
};

const EMAIL: Topic = {
  mentions: /e-?mail/i,
  summary: 'A pragmatic check of an e-mail address: one @, a dot in the domain, no spaces.',
  python: `import re

_EMAIL = re.compile(r"[^@\\s]+@[^@\\s]+\\.[^@\\s]+")


def is_email(text: str) -> bool:
    return len(text) <= 254 and _EMAIL.fullmatch(text) is not None`,
  typescript: `const EMAIL = /^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$/;

export function isEmail(text: string): boolean {
  return text.length <= 254 && EMAIL.test(text);
}`,
};

const GROUP: Topic = {
  mentions: /\bgroup|\bcount\b|\bwords?\b/i,
  summary: 'Counts how often each word occurs, most frequent first.',
  python: `from collections import Counter
import re


def count_words(text: str) -> list[tuple[str, int]]:
    return Counter(re.findall(r"\\w+", text.lower())).most_common()`,
  typescript: `export function countWords(text: string): Array<[string, number]> {
  const counts = new Map<string, number>();
  for (const word of text.toLowerCase().match(/\\p{L}+/gu) ?? []) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]);
}`,
};

const SLUG: Topic = {
  mentions: /./s,
  summary: 'Turns a title into a slug: lower case, words joined by hyphens.',
  python: `import re
import unicodedata


def slugify(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")`,
  typescript: `export function slugify(title: string): string {
  return title
    .normalize('NFKD')
    .replace(/\\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
}`,
};

const TOPICS: readonly Topic[] = [DEBOUNCE, LRU, RETRY, SEARCH, FIBONACCI, EMAIL, GROUP];

const OTHER: Readonly<Record<string, string>> = {
  javascript: `export function unique(items) {
  return [...new Set(items)];
}`,
  rust: `pub fn unique<T: std::hash::Hash + Eq + Clone>(items: &[T]) -> Vec<T> {
    let mut seen = std::collections::HashSet::new();
    items.iter().filter(|item| seen.insert((*item).clone())).cloned().collect()
}`,
  go: `package unique

// Of returns the items without repetitions, in order.
func Of[T comparable](items []T) []T {
	seen := make(map[T]struct{}, len(items))
	var kept []T
	for _, item := range items {
		if _, ok := seen[item]; !ok {
			seen[item] = struct{}{}
			kept = append(kept, item)
		}
	}
	return kept
}`,
  java: `import java.util.LinkedHashSet;
import java.util.List;

final class Unique {
    static <T> List<T> of(List<T> items) {
        return List.copyOf(new LinkedHashSet<>(items));
    }
}`,
  sql: `SELECT customer_id, count(*) AS orders, sum(total) AS revenue
FROM orders
WHERE created_at >= date_trunc('month', now())
GROUP BY customer_id
ORDER BY revenue DESC;`,
  bash: `#!/usr/bin/env bash
set -euo pipefail

sort -- "\${1:?usage: unique FILE}" | uniq -c | sort -rn`,
};

export function findProgram(prompt: string, language: AnswerLanguage): AnswerProgram {
  const topic = TOPICS.find((candidate) => candidate.mentions.test(prompt)) ?? SLUG;
  const other = OTHER[language.fence];
  if (language !== TYPESCRIPT && other !== undefined) {
    return { summary: 'The shortest form that keeps the order of the input.', code: other };
  }
  return {
    summary: topic.summary,
    code: language === TYPESCRIPT ? topic.typescript : topic.python,
  };
}
