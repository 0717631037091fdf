import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planImport } from '../../src/importing/plan.ts';
import { readKeys } from '../../src/importing/read-keys.ts';
import { reportRows } from '../../src/importing/report.ts';
import { type CorpusCase, SECRETS, SK } from './corpus/corpus-case.ts';
import { EXPORTS } from './corpus/exports.ts';
import { NOTES } from './corpus/notes.ts';
import { PROGRAM_FILES } from './corpus/programs.ts';
import { SETTINGS_FILES } from './corpus/settings.ts';
import { STRUCTURED_FILES } from './corpus/structured.ts';

const CORPUS = [...SETTINGS_FILES, ...NOTES, ...STRUCTURED_FILES, ...EXPORTS, ...PROGRAM_FILES];

async function read(text: string, stored: ReadonlyMap<string, string> = new Map()) {
  const reading = await readKeys(text);
  const plan = planImport(reading.findings, stored);
  const report = reportRows({ plan, agreed: plan.likely, isDryRun: true });
  const rows = report.map(({ verb, text }) => verb + text);
  const byName = (keys: typeof plan.sure): Record<string, string> =>
    Object.fromEntries(keys.map(({ name, value }) => [name, value]));
  const left = [
    ...new Set(
      plan.left.flatMap(({ line, through }) =>
        Array.from({ length: through - line + 1 }, (_, at) => line + at),
      ),
    ),
  ].sort((a, b) => a - b);
  return { reading, plan, rows, sure: byName(plan.sure), likely: byName(plan.likely), left };
}

/** No run of eight characters of a secret. */
function expectClean(text: string, secrets: readonly string[]): void {
  const isShown = (secret: string): boolean =>
    Array.from({ length: Math.max(0, secret.length - 7) }, (_, at) =>
      secret.slice(at, at + 8),
    ).some((run) => text.includes(run));
  expect(secrets.filter(isShown)).toEqual([]);
}

describe.each([
  ['settings and shells', SETTINGS_FILES],
  ['notes', NOTES],
  ['structured files', STRUCTURED_FILES],
  ['exports', EXPORTS],
  ['programs and tools', PROGRAM_FILES],
])('%s', (_kind, cases: readonly CorpusCase[]) => {
  it.each(cases)('$title', async ({ text, sure = {}, likely = {}, left = [] }) => {
    const found = await read(text);
    expect({ sure: found.sure, likely: found.likely, left: found.left }).toEqual({
      sure,
      likely,
      left,
    });
    expectClean(found.rows.join('\n'), SECRETS);
  });
});

it('has at least 90 files', () => {
  expect(CORPUS.length).toBeGreaterThanOrEqual(90);
});

/** Lines as people write them; `§` is where a value stands. */
const TEMPLATES = [
  '§',
  'DEEPSEEK_API_KEY=§',
  'export PERPLEXITY_API_KEY="§"',
  '# DEEPSEEK_API_KEY=§',
  'DeepSeek: §',
  'Perplexity API 2 - `§`',
  'Bybit Secret: §',
  'password: §',
  '  "apiKey": "§",',
  '  deepseek_key: §',
  '[perplexity]',
  'key=§',
  '## DeepSeek',
  'ask Anna about this',
  '| DeepSeek | § |',
  'DATABASE_URL=postgres://app:§@db/app',
  'A_SECRET="§',
  'https://example.test/x?key=§',
  '- OPENAI_API_KEY: § # old',
  '{"name": "DeepSeek", "value": "§"}',
  'curl -H "Authorization: Bearer §"',
  'DEEPSEEK_API_KEYS=§,§',
  '百炼：§',
  '',
  'LOG_LEVEL=info',
  'set -gx DEEPSEEK_API_KEY §',
];
const FORMS: ReadonlyArray<(random: string) => string> = [
  (random) => `${'sk'}-${random.replace(/[^0-9a-f]/g, '7').slice(0, 32)}`,
  (random) => `${'pplx'}-${random.slice(0, 48)}`,
  (random) => `${'sk'}-ant-${random}`,
  (random) => `${'ghp'}_${random.slice(0, 36)}`,
  (random) => random.slice(0, 32),
];

const value = fc
  .tuple(fc.constantFrom(...FORMS), fc.stringMatching(/^[a-f0-9]{8}[A-Z][0-9]{2}[A-Za-z0-9]{45}$/))
  .map(([form, random]) => form(random));
const line = fc.tuple(fc.constantFrom(...TEMPLATES), value, value).map(([template, one, other]) => {
  const [before = '', ...rest] = template.split('§');
  const values = rest.length === 0 ? [] : [one, ...(template.includes('§,§') ? [other] : [])];
  const text = rest.reduce((sum, part, at) => `${sum}${values[at] ?? ''}${part}`, before);
  return { text, values };
});
const file = fc.array(line, { minLength: 1, maxLength: 12 });

describe('whatever the input is', () => {
  it('no message holds eight characters of a value, and no secret is lost in silence', async () => {
    await fc.assert(
      fc.asyncProperty(file, async (lines) => {
        const { reading, plan, rows } = await read(lines.map(({ text }) => text).join('\n'));
        const secrets = lines.flatMap(({ values }) => values);
        expectClean(rows.join('\n'), secrets);
        for (const key of [...plan.sure, ...plan.likely]) expect(secrets).toContain(key.value);
        for (const [at, { values }] of lines.entries()) {
          if (values.length > 0) expect(reading.lines[at]).not.toBe('nothing');
        }
      }),
      { numRuns: 150 },
    );
  });

  it('every line is in exactly one pile, whatever it holds', async () => {
    const text = fc.oneof(
      fc.string({ maxLength: 300 }),
      fc.string({ unit: 'grapheme', maxLength: 120 }),
      fc
        .constantFrom(...CORPUS.map((each) => each.text))
        .chain((whole) => fc.nat(whole.length).map((at) => whole.slice(0, at))),
    );
    await fc.assert(
      fc.asyncProperty(text, async (whole) => {
        const { lines, findings } = await readKeys(whole);
        expect(lines.length).toBe(whole.split(/\r\n|\r|\n/).length);
        for (const finding of findings) {
          expect(finding.line).toBeGreaterThanOrEqual(1);
          expect(finding.line).toBeLessThanOrEqual(lines.length);
          const pile = lines[finding.line - 1];
          const order = ['nothing', 'sure', 'likely', 'left'];
          expect(order.indexOf(pile ?? '')).toBeGreaterThanOrEqual(order.indexOf(finding.pile));
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('into a store that has keys', () => {
  it('changes nothing the second time', async () => {
    for (const { text } of CORPUS) {
      const first = await read(text);
      const stored = new Map(
        [...first.plan.sure, ...first.plan.likely].map((k) => [k.name, k.value]),
      );
      const second = await read(text, stored);
      expect([second.sure, second.likely]).toEqual([{}, {}]);
      expect(second.plan.unchanged.length).toBeGreaterThanOrEqual(stored.size);
    }
  });

  it('gives the next free number, and knows a value under whichever name', async () => {
    const stored = new Map([
      ['DEEPSEEK_API_KEY', SK[3] ?? ''],
      ['OLD_NAME_KEY', SK[1] ?? ''],
      ['BYBIT_SECRET', 'another-secret-0123456789'],
    ]);
    const text = `DEEPSEEK_API_KEY=${SK[0]}\nDEEPSEEK_API_KEY_2=${SK[1]}\nDeepSeek: ${SK[2]}\nBYBIT_SECRET=${SECRETS.at(-3)}\n`;
    const { sure, plan } = await read(text, stored);
    expect(sure).toEqual({ DEEPSEEK_API_KEY_2: SK[0], DEEPSEEK_API_KEY_3: SK[2] });
    expect(plan.unchanged).toEqual([{ name: 'OLD_NAME_KEY', line: 2 }]);
    expect(plan.left).toMatchObject([{ name: 'BYBIT_SECRET', line: 4 }]);
  });
});

/** Twelve thousand different ones, each in a line of its own. */
function keysWithoutEnd(before: (at: number) => string): string {
  const seed = BigInt(`0x${SK[0]?.slice(3)}`);
  return Array.from({ length: 12_000 }, (_, at) => {
    const digits = BigInt.asUintN(128, seed + BigInt(at) * 0x9e3779b97f4a7c15f39cc0605cedc835n);
    return `${before(at)}${'sk'}-${digits.toString(16).padStart(32, '0')}`;
  }).join('\n');
}

it.each([
  ['four megabytes of one letter', 'a'.repeat(4_000_000)],
  ['names without end', 'A_'.repeat(500_000)],
  ['prefixes without end', 'sk-'.repeat(500_000)],
  ['deep white space', Array.from({ length: 2_000 }, (_, at) => `${' '.repeat(at)}a:`).join('\n')],
  ['open quotes', 'A_KEY="x\n'.repeat(5_000)],
  ['open brackets', '['.repeat(100_000)],
  ['addresses without end', 'http://'.repeat(200_000)],
  ['KeePass’s elements without end', `<KeePassFile>${'<Entry>\n'.repeat(60_000)}`],
  [
    'KeePass’s entries without end',
    `<KeePassFile>${'<Entry><History>\n'.repeat(20_000)}${'</History></Entry>'.repeat(20_000)}</KeePassFile>`,
  ],
  ['keys without end', keysWithoutEnd((at) => `DeepSeek ${at % 9}: `)],
  ['assignments without end', keysWithoutEnd((at) => `DEEPSEEK_API_KEY_${at}=x`)],
])('is done with %s before anybody gives up', async (_what, text) => {
  const { lines, findings } = await readKeys(text);
  expect(lines.length).toBe(text.split('\n').length);
  const plan = planImport(findings, new Map());
  expect(plan.sure.length + plan.likely.length + plan.left.length).toBe(findings.length);
});
