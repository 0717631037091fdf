/** A name that somebody wrote for a value, as `NAME=value` has one: what it says. Pure. */

import type { Provider } from '../../base/errors.ts';
import {
  aliasedProvider,
  FAMILIES,
  FAMILY_LISTS,
  isKeyName,
  poolName,
} from '../../base/keys/key-names.ts';
import { trimEnd } from '../../base/text/trim.ts';

export type WrittenName =
  /** A pool key, a list of them, or a name of theirs that people use. */
  | {
      readonly kind: 'pool' | 'alias';
      readonly provider: Provider;
      readonly number: number | null;
      readonly name: string;
    }
  /** Says that it names a secret of somebody else. */
  | { readonly kind: 'secret'; readonly name: string }
  /** `key`, `api_key`, `token`: whose it is has to come from elsewhere. */
  | { readonly kind: 'generic' }
  | { readonly kind: 'password' }
  | { readonly kind: 'setting' };

const SECRET_WORDS = new Set([
  'KEY',
  'KEYS',
  'APIKEY',
  'SECRET',
  'TOKEN',
  'PASSWORD',
  'PASSWD',
  'CREDENTIALS',
  'PASSPHRASE',
  'MNEMONIC',
]);
/** At the end only: AUTHOR and SSH_AUTH_SOCK are none. */
const LAST_WORDS = new Set(['PASS', 'PWD', 'PW', 'AUTH', 'PAT', 'CREDENTIAL', 'DSN']);
/** What ends so is about a key, not a key. */
const SETTING_ENDS = new Set(
  'URL URI HOST PORT MODEL MODELS LEVEL TIMEOUT MS VERSION ENABLED REGION SOCK PATH FILE DIR FOLDER NAME USER USERNAME TTL LIMIT SIZE LENGTH COUNT EXPIRY EXPIRES DAYS HOURS MINUTES SECONDS HEADER PREFIX ALGORITHM TYPE MODE FORMAT ROUNDS ID IDS ENV VAR HASH COOKIE COLOR COLOUR VAULT SYMBOL BUDGET EXPIRE FINGERPRINT'.split(
    ' ',
  ),
);
const OWN_SETTING = /^(?:MASTER_ENCRYPTION_KEY|ENCRYPTION_KEY$|KEYPOOL_)/;
const GENERIC =
  /^(?:(?:MY|THE|YOUR|LLM|AI|MODEL|PROVIDER|CLIENT|X|SERVICE|SEARCH|CHAT)_)?(?:API_?|SECRET_?|ACCESS_?|AUTH_?|BEARER_?)?(?:KEYS?|TOKENS?|SECRET)(?:_?\d{1,2})?$|^(?:AUTHORIZATION|BEARER|VALUE|CREDENTIALS?)$/;
const PASSWORD =
  /^(?:USER_?|LOGIN_?|ACCOUNT_?)?(?:PASSWORD|PASSWD|PASSWORT|KENNWORT|PASS|PWD|PW|PIN|TOTP|OTP|OTPAUTH|PASSPHRASE)$/;

/** `deepseek-api-key`, `deepseekApiKey`, `deepseek.api.key` → DEEPSEEK_API_KEY. */
export function upperSnake(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[-.\s]+/g, '_')
    .toUpperCase();
}

/** Parts as names have them: letters and a few digits, or a number; never mixed as in a token. */
function isSurelyName(name: string): boolean {
  const parts = name.split('_').filter((part) => part !== '');
  return (
    isKeyName(name) &&
    parts.length >= 2 &&
    parts.every((part) => /^(?:[A-Z]{1,16}\d{0,3}|\d{1,5}[A-Z]?)$/.test(part))
  );
}

/** What programs give out: long, and in disorder. */
const GENERATED = /(?:^|_)(?:API_?KEYS?|ACCESS_KEYS?|TOKENS?|PAT)(?:_?\d{1,3})?$/;
/** Beside a password, what somebody may have thought up. */
const MADE_UP =
  /(?:^|_)(?:SECRETS?|PASSWORD|PASSWD|PASSPHRASE|PASS|PWD|PW|PIN|MNEMONIC|CREDENTIALS?|DSN|(?:AUTH|PRIVATE|ENCRYPTION|MASTER|SIGNING|LICEN[SC]E)_KEY)(?:_|\d|$)/;

/**
 * What kind of value the name of a secret announces: of `CACHE_KEY` and `SORT_KEY` it may be
 * anything, so that only the value says whether it is a secret.
 */
export function namedSecret(name: string): 'generated' | 'made up' | 'anything' {
  if (GENERATED.test(name)) return 'generated';
  return MADE_UP.test(name) && !name.endsWith('_KEY_ID') ? 'made up' : 'anything';
}

function isSecretName(name: string): boolean {
  const parts = name.split('_').map((part) => trimEnd(part, '0123456789'));
  const words = parts.filter((part) => part !== '');
  const last = words.at(-1) ?? '';
  if (name.endsWith('_KEY_ID')) return true;
  // The images of Python set it: whose signature their source has.
  if (name === 'GPG_KEY') return false;
  if (SETTING_ENDS.has(last)) return false;
  return LAST_WORDS.has(last) || words.some((word) => SECRET_WORDS.has(word));
}

const numberAt = (name: string): number | null => {
  const digits = /(?<!\d)([1-9]\d{0,4})$/.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
};

/**
 * @param written the name as it stands, without quotes around it
 */
export function readName(written: string): WrittenName {
  const name = upperSnake(written);
  const pool = poolName(name);
  if (pool !== null) {
    return { kind: 'pool', ...pool, name };
  }
  const list = Object.values(FAMILY_LISTS).indexOf(name);
  if (list !== -1) {
    const provider = list === 0 ? 'deepseek' : 'perplexity';
    return { kind: 'pool', provider, number: null, name: FAMILIES[provider] };
  }
  // `spring.ai.deepseek.api-key`, `sonarqube.token`: what stands before ours may be anything.
  const provider = aliasedProvider(name);
  if (provider !== null) return { kind: 'alias', provider, number: numberAt(name), name };
  if (OWN_SETTING.test(name)) return { kind: 'setting' };
  if (PASSWORD.test(name)) return { kind: 'password' };
  if (GENERIC.test(name)) return { kind: 'generic' };
  const isUsable = written === name && isSurelyName(name) && isSecretName(name);
  return isUsable ? { kind: 'secret', name } : { kind: 'setting' };
}

/** The master key of this program, or a setting of it: never a key for the store it opens. */
export function isOwnSetting(written: string): boolean {
  return OWN_SETTING.test(upperSnake(written));
}

/** The name where it is surely one, for a message. */
export function shownName(written: string): string | null {
  const name = upperSnake(written);
  return isSurelyName(name) && (isSecretName(name) || isOwnSetting(name)) ? name : null;
}
