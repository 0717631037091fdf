/** Sources of programs, and what tools write: keys among expressions, lists, differences, exports. */

import {
  BYBIT,
  type CorpusCase,
  GITHUB,
  OPAQUE,
  PASSWORD,
  PX0,
  SK0,
  SK1,
  SK2,
} from './corpus-case.ts';

const one = { DEEPSEEK_API_KEY: SK0 };
const two = { DEEPSEEK_API_KEY: SK0, DEEPSEEK_API_KEY_2: SK1 };
const both = { DEEPSEEK_API_KEY: SK0, PERPLEXITY_API_KEY: PX0 };

const notebook = JSON.stringify({
  cells: [
    {
      cell_type: 'code',
      source: [`os.environ["DEEPSEEK_API_KEY"] = "${SK0}"\n`, `PERPLEXITY_API_KEY = '${PX0}'`],
    },
  ],
  nbformat: 4,
});

const enpass = JSON.stringify({
  items: [
    {
      category: 'login',
      title: 'DeepSeek',
      fields: [
        { label: 'Username', value: 'ada@example.test' },
        { label: 'Password', value: PASSWORD },
        { label: 'API Key', value: SK0 },
      ],
    },
  ],
});

export const PROGRAM_FILES: readonly CorpusCase[] = [
  {
    title: 'expressions of programs say where a key is',
    text: [
      `DEEPSEEK_API_KEY = "${SK0}"`,
      'OPENAI_API_KEY = os.environ["OPENAI_API_KEY"]',
      'COHERE_API_KEY = process.env.COHERE_API_KEY;',
      "os.environ['GROQ_API_KEY'] = os.getenv('GROQ_API_KEY', 'none')",
      'XAI_API_KEY = settings.xai_key',
      'PERPLEXITY_API_KEY = process.env.PERPLEXITY_API_KEY_OF_2026',
      '',
    ].join('\n'),
    sure: one,
    left: [2, 3, 4, 5, 6],
  },
  {
    title: 'places in vaults',
    text: [
      'SLACK_TOKEN=arn:aws:secretsmanager:eu-west-1:123456789012:secret:slack-AbCdEf',
      'BYBIT_SECRET=@Microsoft.KeyVault(SecretUri=https://v.example.test/secrets/a1)',
      'SERPER_API_KEY=vault:secret/data/serper#key1',
      'GEMINI_API_KEY=projects/123456/secrets/gemini/versions/latest',
      'GROQ_API_KEY=%(groq)s',
      `GITHUB_TOKEN=${GITHUB}`,
      '',
    ].join('\n'),
    sure: { GITHUB_TOKEN: GITHUB },
    left: [1, 2, 3, 4, 5],
  },
  {
    title: 'a KEY that is none, by its value; an example of Amazon',
    text: `CACHE_KEY=user_sessions_v2\nSORT_KEY=created_at2\nS3_KEY=images/logo2.png\nAWS_ACCESS_KEY_ID=AKIAIOSFODNN7${'EXAMPLE'}\nBYBIT_API_KEY=${BYBIT}\nSIGNING_KEY=${PASSWORD}\n`,
    sure: { BYBIT_API_KEY: BYBIT, SIGNING_KEY: PASSWORD },
    left: [1, 2, 3, 4],
  },
  {
    title: 'short for what a service gives out',
    text: 'COHERE_API_KEY=abc123\nNOTION_TOKEN=secret_abc123\n',
    likely: { COHERE_API_KEY: 'abc123', NOTION_TOKEN: 'secret_abc123' },
  },
  {
    title: 'a key of another service, typed to show its form',
    text: `OPENAI_API_KEY=sk-proj-${'a'.repeat(20)}\nGROQ_API_KEY=gsk_${'1'.repeat(16)}\n`,
    left: [1, 2],
  },
  {
    title: 'short for a key, and in disorder',
    text: 'OKX_API_KEY=k3y9f2m1p0qz\nCOINBASE_KEY=m4x8d1w7c2rt\nPAGE_KEY=home_page_2\n',
    sure: { OKX_API_KEY: 'k3y9f2m1p0qz' },
    likely: { COINBASE_KEY: 'm4x8d1w7c2rt' },
    left: [3],
  },
  {
    title: 'a list over several lines, as programs write it',
    text: `DEEPSEEK_API_KEYS = [\n    "${SK0}",\n    "${SK1}",  # second account\n    # "${SK2}",\n]\nname = "x"\n`,
    sure: two,
    left: [4],
  },
  {
    title: 'a list of the shell',
    text: `DEEPSEEK_API_KEYS=(\n  ${SK0}\n  ${SK1}\n)\n`,
    sure: two,
  },
  {
    title: 'a map under a name of ours is no list of our keys',
    text: `DEEPSEEK_API_KEY = {\n  "kimi": "${SK0}",\n}\n`,
    likely: { KIMI_API_KEY: SK0 },
    left: [1],
  },
  {
    title: 'an editor’s own language',
    text: `vim.env.DEEPSEEK_API_KEY = "${SK0}"\nvim.opt.number = true\n`,
    sure: one,
  },
  {
    title: 'a difference: what was taken out is old',
    text: `diff --git a/.env b/.env\n--- a/.env\n+++ b/.env\n@@ -1 +1 @@\n-DEEPSEEK_API_KEY=${SK1}\n+DEEPSEEK_API_KEY=${SK0}\n`,
    sure: one,
    left: [5],
  },
  {
    title: 'a key that a line’s end cuts in two',
    text: `DeepSeek key: ${SK0.slice(0, 20)}\n${SK0.slice(20, -1)}7\n\nPerplexity: ${PX0}\n`,
    sure: { PERPLEXITY_API_KEY: PX0 },
    left: [1, 2],
  },
  {
    title: 'something that sticks to a key',
    text: `DEEPSEEK_API_KEY=3D${SK0}\n`,
    left: [1],
  },
  {
    title: 'an account, its password and its key in one line',
    text: `ada@example.test----${PASSWORD}----${SK0}\n`,
    likely: one,
  },
  { title: 'a notebook', text: notebook, sure: both },
  {
    title: 'a table with a column for the provider',
    text: `Provider\tKey\tOwner\nDeepSeek\t${SK0}\tAda\nPerplexity\t${PX0}\tBob\nMistral\t${OPAQUE}\tBob\n`,
    sure: both,
    left: [4],
  },
  {
    title: 'LastPass: a note of any title that assigns a variable of ours',
    text: `url,username,password,totp,extra,name,grouping,fav\nhttp://sn,,,,"DEEPSEEK_API_KEY=${SK0}",AI keys,,0\n`,
    sure: one,
  },
  { title: 'Enpass, whose password is one of the fields', text: enpass, sure: one },
  {
    title: 'one line of a program that was made small',
    text: `x={deepseekApiKey:"${SK0}",perplexityApiKey:"${PX0}"};y=\${DEEPSEEK_API_KEY:-none}\n`,
    sure: both,
  },
  {
    title: 'callouts of Obsidian',
    text: `> [!secret] DeepSeek\n> ${SK0}\n\n> [!secret]- Perplexity\n> \`${PX0}\`\n`,
    sure: both,
  },
  {
    title: 'a keyring of a desktop',
    text: `[/org/freedesktop/secrets/collection/login/12]\nlabel = DeepSeek API key\nsecret = ${SK0}\n`,
    sure: one,
  },
  { title: 'Arabic', text: `مفتاح DeepSeek: ${SK0}\nمفتاح Perplexity: ${PX0}\n`, sure: both },
  {
    title: 'Chinese words that name nobody, and one that does',
    text: `DeepSeek接口密钥 = ${SK0}\nPerplexity公司密钥 = ${PX0}\n阿里云密钥 = ${SK1}\n`,
    sure: both,
    left: [3],
  },
  { title: 'Japanese', text: `DeepSeekのAPIキー：${SK0}\n`, sure: one },
];
