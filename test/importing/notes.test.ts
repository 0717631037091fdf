import { describe, expect, it } from 'vitest';
import { parseImport } from '../../src/importing/notes.ts';
import { planImport } from '../../src/importing/plan.ts';

const hex = (digit: string): string => digit.repeat(32);
/** DeepSeek's form; made at run time so that no scanner takes it for a real one. */
const ds = (digit: string): string => `${'sk'}-${hex(digit)}`;
const px = (letter: string): string => `pplx-${`fake${letter}`.repeat(8)}`;
const BYBIT = 'FakeBybitKey012345';
const BYBIT_SECRET = 'FakeBybitSecret0123456789abcdefABCDEF';

function plan(text: string, stored: Readonly<Record<string, string>> = {}) {
  const parsed = parseImport(text);
  if (parsed === null) throw new Error('not parsed');
  return planImport(parsed, new Map(Object.entries(stored)));
}

const added = (text: string, stored: Readonly<Record<string, string>> = {}) =>
  Object.fromEntries(plan(text, stored).added.map(({ name, value }) => [name, value]));

describe('a .env file', () => {
  it.each([
    ['plain', `DEEPSEEK_API_KEY=${ds('a')}`],
    ['double quotes', `DEEPSEEK_API_KEY="${ds('a')}"`],
    ['single quotes and a comment', `DEEPSEEK_API_KEY='${ds('a')}' # main account`],
    ['export', `export DEEPSEEK_API_KEY=${ds('a')}`],
    ['spaces around the sign', `DEEPSEEK_API_KEY = ${ds('a')}`],
    ['a comment behind', `DEEPSEEK_API_KEY=${ds('a')}   # main`],
    ['PowerShell', `$env:DEEPSEEK_API_KEY = "${ds('a')}"`],
    ['CRLF', `# keys\r\nDEEPSEEK_API_KEY=${ds('a')}\r\n`],
    ['a BOM', `\uFEFFDEEPSEEK_API_KEY=${ds('a')}`],
    ['YAML', `DEEPSEEK_API_KEY: ${ds('a')}`],
  ])('gives the key: %s', (_form, text) => {
    expect(added(text)).toEqual({ DEEPSEEK_API_KEY: ds('a') });
  });

  it('keeps the numbers and the names that stand there', () => {
    const text = `DEEPSEEK_API_KEY_7=${ds('a')}\nDEEPSEEK_API_KEY=${ds('b')}\nPERPLEXITY_API_KEY_2=${px('a')}\nBYBIT_API_KEY=${BYBIT}\n`;
    expect(added(text)).toEqual({
      DEEPSEEK_API_KEY_7: ds('a'),
      DEEPSEEK_API_KEY: ds('b'),
      PERPLEXITY_API_KEY_2: px('a'),
      BYBIT_API_KEY: BYBIT,
    });
  });

  it.each([
    ['LOG_LEVEL=info', 'LOG_LEVEL'],
    ['DEEPSEEK_BASE_URL=https://api.deepseek.com', 'DEEPSEEK_BASE_URL'],
    ['MASTER_ENCRYPTION_KEY=a-master-key-for-tests-0123', 'MASTER_ENCRYPTION_KEY'],
    ['DEEPSEEK_API_KEY=your_key_here', 'DEEPSEEK_API_KEY'],
    ['DEEPSEEK_API_KEY=', 'DEEPSEEK_API_KEY'],
    ['DEEPSEEK_API_KEY="two words"', 'DEEPSEEK_API_KEY'],
    ['SIGNING_KEY="-----BEGIN\nabc\n-----END"', 'SIGNING_KEY'],
    ['DEBUG=true', 'DEBUG'],
  ])('skips by name what is no key: %s', (text, name) => {
    const { added: none, skipped } = plan(text);
    expect(none).toEqual([]);
    expect(skipped).toMatchObject([{ name, line: 1 }]);
  });

  it('takes a short password when its name says that it is one', () => {
    expect(added('BYBIT_SECRET=abc123')).toEqual({ BYBIT_SECRET: 'abc123' });
  });

  it('numbers a pool key that is given twice with two values', () => {
    expect(added(`DEEPSEEK_API_KEY=${ds('a')}\nDEEPSEEK_API_KEY=${ds('b')}`)).toEqual({
      DEEPSEEK_API_KEY: ds('a'),
      DEEPSEEK_API_KEY_2: ds('b'),
    });
  });
});

describe('a text with labels', () => {
  it('numbers several DeepSeek keys in order, with notes between them', () => {
    const text = `My keys, do not share!

DeepSeek API: ${ds('1')}
top up on Mondays, ask Anna for the card
DeepSeek API 2: ${ds('2')}

DeepSeek API 3: ${ds('3')}
Perplexity: ${px('a')}
Bybit API Key: ${BYBIT}
Bybit Secret: ${BYBIT_SECRET}
Remember: the trial ends 2026-12-01
`;
    expect(added(text)).toEqual({
      DEEPSEEK_API_KEY: ds('1'),
      DEEPSEEK_API_KEY_2: ds('2'),
      DEEPSEEK_API_KEY_3: ds('3'),
      PERPLEXITY_API_KEY: px('a'),
      BYBIT_API_KEY: BYBIT,
      BYBIT_SECRET,
    });
  });

  it.each([
    ['the same label again', `DeepSeek: ${ds('1')}\nDeepSeek: ${ds('2')}`],
    ['numbers from one', `DeepSeek API 1: ${ds('1')}\nDeepSeek API 2: ${ds('2')}`],
    ['a hash sign', `DeepSeek #1: ${ds('1')}\nDeepSeek #2: ${ds('2')}`],
    ['bullets', `- DeepSeek key: ${ds('1')}\n* DeepSeek key 2 - ${ds('2')}`],
    ['numbered lines', `1. DeepSeek: ${ds('1')}\n2. DeepSeek: ${ds('2')}`],
    ['Markdown', `**DeepSeek API key**: \`${ds('1')}\`\n**DeepSeek API key (2)**: \`${ds('2')}\``],
    ['a table', `| Name | Key |\n|---|---|\n| DeepSeek | ${ds('1')} |\n| DeepSeek | ${ds('2')} |`],
    ['an arrow', `deep seek -> ${ds('1')}\ndeepseek 2 → ${ds('2')}`],
    ['no separator', `DeepSeek API ${ds('1')}\nDeepSeek API 2 ${ds('2')}`],
    ['no space', `DeepSeek:${ds('1')}\nDeepSeek 2:${ds('2')}`],
    ['the label above', `DeepSeek API\n${ds('1')}\n\nDeepSeek API 2:\n${ds('2')}`],
    ['a heading above both', `## DeepSeek\n\n${ds('1')}\n- ${ds('2')}`],
    ['keys alone', `${ds('1')}\n${ds('2')}`],
    ['lower-case names', `deepseek_api_key=${ds('1')}\ndeepseek_api_key_2=${ds('2')}`],
    ['remarks behind', `DeepSeek: ${ds('1')} (main account)\nDeepSeek: ${ds('2')} # second`],
    ['CRLF', `DeepSeek: ${ds('1')}\r\nDeepSeek: ${ds('2')}\r\n`],
    ['the first key again', `DeepSeek: ${ds('1')}\nDeepSeek: ${ds('2')}\nDeepSeek: ${ds('1')}`],
  ])('reads two DeepSeek keys from %s', (_form, text) => {
    expect(added(text)).toEqual({ DEEPSEEK_API_KEY: ds('1'), DEEPSEEK_API_KEY_2: ds('2') });
  });

  it.each([
    ['Bybit API Key', 'BYBIT_API_KEY'],
    ['Bybit Secret', 'BYBIT_SECRET'],
    ['Bybit API Secret', 'BYBIT_API_SECRET'],
    ['Bybit', 'BYBIT_API_KEY'],
    ['Bybit API', 'BYBIT_API_KEY'],
    ['ByBit API key 2', 'BYBIT_API_KEY_2'],
    ['My Binance key', 'BINANCE_KEY'],
    ['GitHub token', 'GITHUB_TOKEN'],
    ['bybitApiKey', 'BYBIT_API_KEY'],
    ['Schlüssel Bybit Secret', 'SCHLUSSEL_BYBIT_SECRET'],
  ])('makes of the label %j the name %s', (label, name) => {
    expect(added(`${label}: ${BYBIT_SECRET}`)).toEqual({ [name]: BYBIT_SECRET });
  });

  it('takes the vendor from the heading when the label is only "API key"', () => {
    const text = `## Bybit\nAPI Key: ${BYBIT}\nSecret: ${BYBIT_SECRET}\n\n[Binance]\nAPI Key = ${BYBIT}\n`;
    expect(added(text)).toEqual({ BYBIT_API_KEY: BYBIT, BYBIT_SECRET, BINANCE_API_KEY: BYBIT });
  });

  it.each([
    'Bybit Secret: ask Bob for it',
    'DeepSeek API key: expired',
    'DeepSeek API: top up on Monday',
    'this is a line of words',
    'DeepSeek console: https://platform.deepseek.com/api_keys',
    'DeepSeek balance: 12.50 USD',
    'DeepSeek model: deepseek-v3.2-exp',
    'DeepSeek account: somebody@example.com',
    'Renewed: 2026-11-01',
    'Notes: call support about key rotation',
    'Perplexity key: pplx-…',
    'DeepSeek API: <your key>',
  ])('takes no key from %j', (line) => {
    expect(plan(line).added).toEqual([]);
  });

  it('never repeats a value in a reason', () => {
    const { skipped } = plan(
      `Bybit Secret: ask Bob\nsk-${'Q7'.repeat(14)}\nDEEPSEEK_API_KEY="a secret b"`,
    );
    expect(skipped.length).toBeGreaterThan(0);
    expect(JSON.stringify(skipped)).not.toMatch(/Q7Q7|ask Bob|a secret b/);
  });
});

describe('JSON', () => {
  it.each([
    ['flat', { DEEPSEEK_API_KEY: ds('1'), DEEPSEEK_API_KEY_2: ds('2') }],
    ['a list', { deepseek: [ds('1'), ds('2')] }],
    ['nested', { deepseek: { api_key: ds('1'), api_key_2: ds('2') } }],
    [
      'records',
      [
        { name: 'DeepSeek 1', value: ds('1') },
        { name: 'DeepSeek 2', value: ds('2') },
      ],
    ],
    [
      'a client configuration',
      {
        mcpServers: {
          x: { command: 'npx', env: { DEEPSEEK_API_KEY: ds('1'), DEEPSEEK_API_KEY_2: ds('2') } },
        },
      },
    ],
  ])('gives the keys: %s', (_form, value) => {
    expect(added(JSON.stringify(value))).toEqual({
      DEEPSEEK_API_KEY: ds('1'),
      DEEPSEEK_API_KEY_2: ds('2'),
    });
  });

  it('is refused when it is cut off or has a name twice', () => {
    expect(parseImport('{"DEEPSEEK_API_KEY": "sk-')).toBeNull();
    expect(parseImport('{"A_KEY": "1", "A_KEY": "2"}')).toBeNull();
  });
});

describe('importing into a store that has keys', () => {
  it('changes nothing the second time', () => {
    const text = `DeepSeek: ${ds('1')}\nDeepSeek: ${ds('2')}\nBybit Secret: ${BYBIT_SECRET}`;
    const again = plan(text, added(text));
    expect(again.added).toEqual([]);
    expect(again.unchanged).toEqual(['DEEPSEEK_API_KEY', 'DEEPSEEK_API_KEY_2', 'BYBIT_SECRET']);
  });

  it('never replaces a key: a named one is skipped, a labelled one gets the next number', () => {
    const stored = { DEEPSEEK_API_KEY: ds('9'), BYBIT_SECRET: 'other-secret-0123456789' };
    const named = plan(`DEEPSEEK_API_KEY=${ds('1')}\nBYBIT_SECRET=${BYBIT_SECRET}`, stored);
    expect(named.added).toEqual([]);
    expect(named.skipped.map((item) => item.name)).toEqual(['DEEPSEEK_API_KEY', 'BYBIT_SECRET']);
    expect(added(`DeepSeek: ${ds('1')}`, stored)).toEqual({ DEEPSEEK_API_KEY_2: ds('1') });
  });
});
