/** What the words beside a key say: whose it is, that it is one, that it is something else. Pure. */

import type { Provider } from '../../base/errors.ts';

const wordSet = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/));

/** Words that say "a key follows" and nothing about whose. */
const KEY_WORDS = wordSet(
  'api apikey apikeys key keys secret secrets token tokens credential credentials access private auth bearer ' +
    'authorization schlüssel schluessel clé cle clave chiave chave ключ ключи 密钥 密鑰 秘钥 金钥 金鑰 キー 鍵 키 令牌 مفتاح کلید מפתח κλειδί कुंजी คีย์',
);
/** Words of a password of a person, not of a program. */
const PASSWORD_WORDS = wordSet(
  'password passwords passwort kennwort passphrase pass pwd pw pin mot passe contraseña contrasena senha hasło пароль ' +
    'كلمة المرور סיסמה κωδικός รหัสผ่าน ' +
    '密码 密碼 口令 パスワード 비밀번호 2fa totp otp recovery seed mnemonic wifi wlan',
);
/** Words that say "what follows describes something else". */
const OTHER_WORDS = wordSet(
  'url uri endpoint host port model models version limit balance price email mail user username login ' +
    'date expires expiry renewed created docs documentation region website web site link phone plan quota group org ' +
    'organization organisation tenant id ids uid uuid hash commit checksum sha sha256 md5 ' +
    'fingerprint session cookie refresh oauth serial license licence invoice order ticket customer iban path file folder',
);
/** Words that take a key out of use. */
const STALE_WORDS = wordSet(
  'old expired revoked disabled deactivated deprecated invalid dead leaked rotated previous former alt alte alter ' +
    'abgelaufen gesperrt ungültig obsolete unused retired deleted gelöscht 过期 失效 作废 旧',
);
/** Others whose keys people keep beside ours; `nearby says otherwise`. */
const OTHER_VENDORS = wordSet(
  'openai chatgpt gpt anthropic claude google gemini vertex groq grok xai mistral cohere openrouter together ' +
    'fireworks huggingface github gitlab bitbucket aws azure alibaba aliyun dashscope bailian qwen tongyi moonshot kimi ' +
    'zhipu glm minimax baidu qianfan ernie tencent hunyuan volcengine doubao siliconflow siliconcloud stepfun yi ' +
    'lingyi baichuan sensenova iflytek spark bybit binance kraken coinbase okx kucoin bitget gate stripe paypal slack ' +
    'discord telegram twilio sendgrid mailgun tavily serpapi serper exa brave firecrawl jina voyage replicate elevenlabs ' +
    'deepl deepgram nvidia ollama litellm notion supabase pinecone langfuse langsmith netlify vercel cloudflare npm pypi ' +
    'docker heroku digitalocean hetzner linear jira atlassian figma shopify sentry datadog newrelic grafana cerebras ' +
    'sambanova deepinfra novita hyperbolic lepton nebius ai21 reka writer poe dropbox microsoft facebook meta',
);
/** Left out of a name: "my DeepSeek key for work" is DEEPSEEK_KEY to nobody. */
const FILLER = wordSet(
  'my the is a an for of no nr number new value main work private personal test our and account with this that here ' +
    'mein meine der die das ist für und von 的 是 我 我的 和 备用 主 副 新 の は 用 個人用 仕事用 의 ' +
    'const let var val def setq defvar public static final string str export local readonly',
);

/** What a word of a script without spaces is made of when it names nobody. */
const PLAIN_PARTS =
  /密[钥鑰]|[秘金]钥|金鑰|令牌|接口|官方|个人|公司|工作|[账帐]号|平台|模型|备用|测试|生产|我的|キー|鍵|個人|会社|仕事|[主副新号的の用]/g;

export interface Words {
  /** Which of ours are named. */
  readonly providers: ReadonlySet<Provider>;
  /** A vendor that is not ours is named, or a word without Latin letters that may name one. */
  readonly namesOther: boolean;
  readonly saysKey: boolean;
  readonly saysPassword: boolean;
  readonly saysOther: boolean;
  readonly saysStale: boolean;
  /** "DeepSeek API 2" → 2; null when it has none. */
  readonly number: number | null;
  /** The words as a name without number, BYBIT_SECRET; empty when they are surely no name. */
  readonly name: string;
  /** No word but fillers and those that say "key". */
  readonly isGeneric: boolean;
  readonly count: number;
}

function split(text: string): string[] {
  return text
    .normalize('NFKC')
    .replace(/<[^<>]*>/g, ' ')
    .replace(/\d{1,4}[-:./]\d{1,2}(?:[-:./]\d{1,4})*/g, ' ')
    .replace(/([A-Za-z0-9])(?=[\u3040-\u9fff])|([\u3040-\u9fff])(?=[A-Za-z0-9])/g, '$1$2 ')
    .replace(/deep[\s_-]*seek|深度求索|딥시크|ディープシーク/gi, ' deepseek ')
    .replace(/퍼플렉시티|パープレキシティ/g, ' perplexity ')
    .replace(/([a-z])(?=(?:API|Api|Key|Secret|Token|Password|Pass)(?![a-z]))/g, '$1 ')
    .replace(/by[\s_-]bit/gi, 'bybit')
    .replace(/open[\s_-]ai(?![a-z])/gi, 'openai')
    .replace(/open[\s_-]router/gi, 'openrouter')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

/** "DeepSeek2", "key3", "API 2"; years and amounts are no numbers of a key. */
function splitNumber(words: readonly string[]): { words: string[]; number: number | null } {
  const rest = [...words];
  const at = rest.findLastIndex((word) => /^[1-9]\d?$/.test(word));
  if (at !== -1) {
    const [digits = ''] = rest.splice(at, 1);
    return { words: rest, number: Number(digits) };
  }
  const last = /^(\p{L}{3,})(\d{1,2})$/u.exec(rest.at(-1) ?? '');
  if (last === null) return { words: rest, number: null };
  return { words: [...rest.slice(0, -1), last[1] ?? ''], number: Number(last[2]) };
}

const hasLatin = (word: string): boolean => /[A-Za-z]/.test(word);
/** Written as people write words: no digits inside, no case in disorder. */
const isWordLike = (word: string): boolean =>
  word.length <= 16 && /^(?:\p{Lu}?\p{Ll}+(?:\p{Lu}{1,3}\p{Ll}*)?|\p{Lu}{1,12})$/u.test(word);

const ascii = (word: string): string =>
  word
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9]/g, '')
    .toUpperCase();

function nameOf(words: readonly string[]): string {
  const naming = words.filter((word) => !FILLER.has(word.toLowerCase()));
  if (naming.length === 0 || naming.length > 5 || !naming.every(isWordLike)) return '';
  // A header of a request is no name: `-H "Authorization: Bearer …"`.
  if (naming.some((word) => /^(?:.|bearer|authorization)$/i.test(word))) return '';
  const parts = naming.map(ascii);
  if (parts.some((part) => part === '')) return '';
  const lower = naming.map((word) => word.toLowerCase());
  const isOnlyVendor = !lower.some((word) => KEY_WORDS.has(word));
  // "Bybit" and "Bybit API" alone are API keys; "Bybit Secret" says itself what it is.
  if (isOnlyVendor)
    return OTHER_VENDORS.has(lower.at(-1) ?? '') ? `${parts.join('_')}_API_KEY` : '';
  return lower.at(-1) === 'api' ? `${parts.join('_')}_KEY` : parts.join('_');
}

/** A command, a flag, a path: what is written there names no key. */
const COMMAND = /=|(?:^|\s)--?[a-z]|\/[\w.-]{1,100}\/|\\/i;

export function readWords(text: string): Words {
  const { words, number } = splitNumber(split(text));
  const lower = words.map((word) => word.toLowerCase());
  const providers = new Set<Provider>();
  if (lower.includes('deepseek')) providers.add('deepseek');
  if (lower.some((word) => ['perplexity', 'perplexityai', 'pplx'].includes(word))) {
    providers.add('perplexity');
  }
  const says = (set: ReadonlySet<string>): boolean => lower.some((word) => set.has(word));
  const isKnown = (word: string): boolean =>
    [KEY_WORDS, PASSWORD_WORDS, STALE_WORDS, FILLER].some((set) => set.has(word)) ||
    word.replace(PLAIN_PARTS, '') === '';
  const foreign = lower.filter((word) => !hasLatin(word) && /\p{L}/u.test(word) && !isKnown(word));
  // Scripts without spaces: "深度求索密钥" is one word. Ours is named in Latin letters or not at all.
  const isForeignKey = lower.some((word) => /密钥|密鑰|秘钥|金钥|ключ/.test(word));
  const name = COMMAND.test(text) ? '' : nameOf(words);
  return {
    providers,
    namesOther: says(OTHER_VENDORS) || foreign.length > 0,
    saysKey: says(KEY_WORDS) || isForeignKey,
    saysPassword: says(PASSWORD_WORDS),
    saysOther: says(OTHER_WORDS),
    saysStale: says(STALE_WORDS),
    number,
    name,
    isGeneric: lower.every((word) => KEY_WORDS.has(word) || FILLER.has(word)),
    count: words.length,
  };
}

/** Bullets, numbering, quotes and emphasis of Markdown; a number in brackets stays. */
export function stripDecoration(text: string): string {
  return text
    .replace(/^[\s>|]+/, '')
    .replace(/^\[![\w-]{1,20}\][+-]?\s*/, '')
    .replace(/^(?:[-*+•–—]\s+|#+\s*|\d{1,2}[.)]\s+|\[[ x]\]\s+|\/\/\s*|;\s*|=+\s*)+/i, '')
    .replace(/[*`"“”„]|__+|^_|_$|~~/g, '')
    .trim();
}
