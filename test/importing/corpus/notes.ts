/** Notes that people keep. */

import {
  ANTHROPIC,
  BYBIT,
  BYBIT_SECRET,
  type CorpusCase,
  GITHUB,
  LONGER_SK,
  OPAQUE,
  OPENAI,
  OPENROUTER,
  PASSWORD,
  PX0,
  SK0,
  SK1,
  SK2,
} from './corpus-case.ts';

const one = { DEEPSEEK_API_KEY: SK0 };
const two = { DEEPSEEK_API_KEY: SK0, DEEPSEEK_API_KEY_2: SK1 };
const both = { ...one, PERPLEXITY_API_KEY: PX0 };

export const NOTES: readonly CorpusCase[] = [
  {
    title: 'Chinese for ours',
    text: `深度求索 API 密钥：${SK0}\nperplexity的key: ${PX0}\n`,
    sure: both,
  },
  {
    title: 'curl over two lines',
    text: `curl https://api.deepseek.com/models \\\n  -H "Authorization: Bearer ${SK0}"\n`,
    likely: one,
  },
  {
    title: 'whose account it is',
    text: `DeepSeek (main account, Anna): ${SK0}\nDeepSeek (backup): ${SK1}\n`,
    sure: two,
  },
  {
    title: 'labels with remarks between',
    text: `My keys, do not share!\n\nDeepSeek API: ${SK0}\ntop up on Mondays, ask Anna\nDeepSeek API 2: ${SK1}\nPerplexity: ${PX0}\nBybit API Key: ${BYBIT}\nBybit Secret: ${BYBIT_SECRET}\nthe trial ends 2026-12-01\n`,
    sure: { ...two, PERPLEXITY_API_KEY: PX0, BYBIT_API_KEY: BYBIT, BYBIT_SECRET },
  },
  { title: 'the label above', text: `DeepSeek API\n${SK0}\n\nPerplexity:\n${PX0}\n`, sure: both },
  {
    title: 'a Markdown heading and bullets',
    text: `# Keys\n\n## DeepSeek\n\n- ${SK0}\n- ${SK1}\n\n## Perplexity\n\n\`${PX0}\`\n`,
    sure: { ...two, PERPLEXITY_API_KEY: PX0 },
  },
  {
    title: 'a Markdown table',
    text: `| Service | Key |\n|---|---|\n| DeepSeek | ${SK0} |\n| Perplexity | \`${PX0}\` |\n`,
    sure: both,
  },
  { title: 'emphasis', text: `**DeepSeek API key**: \`${SK0}\`\n`, sure: one },
  { title: 'a sentence with a full stop', text: `The DeepSeek key is ${SK0}.\n`, sure: one },
  {
    title: 'brackets around',
    text: `DeepSeek: <${SK0}>\nDeepSeek 2: [${SK1}]\nDeepSeek 3: (${SK2})\n`,
    sure: { ...two, DEEPSEEK_API_KEY_3: SK2 },
  },
  {
    title: 'arrows and dashes',
    text: `deep seek -> ${SK0}\nperplexity → ${PX0}\nDeepSeek 2 - ${SK1}\n`,
    sure: { ...two, PERPLEXITY_API_KEY: PX0 },
  },
  { title: 'no separator', text: `DeepSeek API ${SK0}\nPerplexity API ${PX0}\n`, sure: both },
  { title: 'the label behind', text: `${SK0} (DeepSeek)\n${PX0} = perplexity\n`, sure: both },
  { title: 'two on a line', text: `DeepSeek: ${SK0}, Perplexity: ${PX0}\n`, sure: both },
  { title: 'a list behind one label', text: `DeepSeek: ${SK0}, ${SK1}\n`, sure: two },
  { title: 'a full-width colon', text: `DeepSeek：${SK0}\nPerplexity 密钥：${PX0}\n`, sure: both },
  {
    title: 'a label in Chinese for somebody else',
    text: `百炼: ${SK0}\nDeepSeek: ${SK1}\n`,
    sure: { DEEPSEEK_API_KEY: SK1 },
    left: [1],
  },
  { title: 'a label in Chinese under our heading', text: `DeepSeek\n百炼: ${SK0}\n`, left: [2] },
  {
    title: 'German',
    text: `DeepSeek-Schlüssel: ${SK0}\nPerplexity Schlüssel = ${PX0}\n`,
    sure: both,
  },
  {
    title: 'account data under a heading',
    text: `DeepSeek\nlogin: anna@example.test\npassword: ${PASSWORD}\nPasswort: ${PASSWORD}\ngroup: ${OPAQUE}\norg: ${OPAQUE}\nkey: ${SK0}\n`,
    sure: one,
    left: [3, 4, 5, 6],
  },
  {
    title: 'foreign tokens under a heading',
    text: `DeepSeek\n${GITHUB}\n${ANTHROPIC}\n${SK0}\n`,
    sure: one,
    left: [2, 3],
  },
  { title: 'bare tokens, one above the other', text: `cbcc${OPAQUE}\n${OPAQUE}x9\n`, left: [1, 2] },
  { title: 'keys alone', text: `${SK0}\n${PX0}\n`, likely: both },
  { title: 'a label of Alibaba', text: `Qwen key: ${SK0}\n`, sure: { QWEN_KEY: SK0 } },
  {
    title: 'vendors by label and form',
    text: `OpenAI: ${OPENAI}\nGitHub token: ${GITHUB}\n`,
    sure: { OPENAI_API_KEY: OPENAI, GITHUB_TOKEN: GITHUB },
  },
  {
    title: 'DeepSeek through OpenRouter',
    text: `DeepSeek (OpenRouter): ${OPENROUTER}\n`,
    left: [1],
  },
  {
    title: 'another sk- behind a label',
    text: `DeepSeek: ${LONGER_SK}\n`,
    likely: { DEEPSEEK_API_KEY: LONGER_SK },
  },
  {
    title: 'a password behind a DeepSeek label',
    text: `DeepSeek password: ${PASSWORD}\nDeepSeek: ${SK0}\n`,
    sure: one,
    left: [1],
  },
  {
    title: 'old and expired',
    text: `old DeepSeek key: ${SK0}\nDeepSeek: ${SK1} (expired)\nDeepSeek: ${SK2}\n`,
    sure: { DEEPSEEK_API_KEY: SK2 },
    left: [1, 2],
  },
  {
    title: 'old below a heading, in other words and other languages',
    text: `# DeepSeek\nold: ${SK0}\nabgelaufen: ${SK1}\n- revoked - ${SK2}\n`,
    left: [2, 3, 4],
  },
  {
    title: 'a heading that says that all below it is old',
    text: `# Old keys\nDeepSeek: ${SK0}\nPerplexity: ${PX0}\n\n# Keys\nDeepSeek: ${SK1}\n`,
    sure: { DEEPSEEK_API_KEY: SK1 },
    left: [2, 3],
  },
  {
    title: 'an assignment below a heading',
    text: `Perplexity stuff:\nDEEPSEEK_API_KEY=${SK0}\n`,
    sure: one,
  },
  {
    title: 'assignments in a list',
    text: `Keys\n- DEEPSEEK_API_KEY=${SK0}\n* export PERPLEXITY_API_KEY="${PX0}"\n1. DEEPSEEK_API_KEY_2: ${SK1}\n`,
    sure: { ...both, DEEPSEEK_API_KEY_2: SK1 },
  },
  {
    title: 'a code block',
    text: `To run it:\n\n\`\`\`sh\nexport DEEPSEEK_API_KEY=${SK0}\nnpm start\n\`\`\`\n`,
    sure: one,
  },
  {
    title: 'curl',
    text: `curl -H "Authorization: Bearer ${SK0}" https://api.deepseek.com/models\n`,
    sure: one,
  },
  {
    title: 'labels of people below a heading',
    text: `DeepSeek keys:\nAnna: ${SK0}\nBen: ${SK1}\n`,
    sure: two,
  },
  {
    title: 'prose between heading and key',
    text: `DeepSeek\nI got this one from the conference in May, it may not last.\n${SK0}\n`,
    likely: one,
  },
  {
    title: 'no secrets at all',
    text: 'Shopping\n\nmilk, bread\ncall Bob about the invoice 4711\nhttps://platform.deepseek.com/api_keys\nDeepSeek model: deepseek-v3.2-exp\n',
  },
  {
    title: 'what follows is no key',
    text: 'DeepSeek API key: expired\nPerplexity key: pplx-…\nDeepSeek API: <your key>\n',
    left: [1, 2, 3],
  },
  {
    title: 'a commit and an id',
    text: `commit ${'3f'}${OPAQUE.toLowerCase()}\nid: 123e4567-e89b-12d3-a456-426614174000\n`,
    left: [1],
  },
  {
    title: 'the same key twice',
    text: `DeepSeek: ${SK0}\nDeepSeek 2: ${SK1}\nDeepSeek: ${SK0}\n`,
    sure: two,
    left: [3],
  },
  {
    title: 'a chat message',
    text: `hey, here is the perplexity one ${PX0} and for deepseek use ${SK0} ok?\n`,
    sure: both,
  },
  {
    title: 'sections with equal signs',
    text: `=== DeepSeek ===\n${SK0}\n=== Perplexity ===\n${PX0}\n`,
    sure: both,
  },
  { title: 'numbered lines', text: `1. DeepSeek: ${SK0}\n2. DeepSeek: ${SK1}\n`, sure: two },
  {
    title: 'heading of another, then a bare key',
    text: `OpenAI\n${SK0}\n`,
    likely: { OPENAI_API_KEY: SK0 },
  },
  {
    title: 'a command of a service file, whose words are no name',
    text: `ExecStart=/usr/bin/chat --key ${SK0}\n`,
    likely: { DEEPSEEK_API_KEY: SK0 },
  },
  {
    title: 'one struck out before the one that holds',
    text: `~~DeepSeek: ${SK0}~~ DeepSeek: ${SK1}\n`,
    sure: { DEEPSEEK_API_KEY: SK1 },
    left: [1],
  },
  {
    title: 'ours in other scripts, and in full width',
    text: `딥시크 API 키: ${SK0}\nＤＥＥＰＳＥＥＫ：${SK1}\nパープレキシティ：${PX0}\n`,
    sure: { ...two, PERPLEXITY_API_KEY: PX0 },
  },
  {
    title: 'a label right before a token, without a separator that we know',
    text: `さくらのAPIキー＝${OPAQUE}\nключ→${OPAQUE}x\n`,
    left: [1, 2],
  },
];
