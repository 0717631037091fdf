/** A value that says where a secret is and is none: an expression of a program, a place in a vault. Pure. */

/** As vaults, clouds and deployment tools write them. */
const PLACE =
  /^(?:(?:arn|op|vault|keyring|keychain|secrets?|secretref|file|env|ssm|sm|gcp|azure|bws|sops|doppler|infisical):|ref\+|projects\/[^/]+\/secrets\/|@Microsoft\.|@[a-z]+(?:[-_][a-z]+)+$)/i;
/** `os.environ["X"]`, `config.get('x')`, `get_secret(x)`. */
const CALL = /^[A-Za-z_$][\w$]*(?:(?:\?\.|\.|::|->)[A-Za-z_$][\w$]*){0,8}!?[([].*[)\]]$/;
/** `process.env.X`, `settings.openai.key`. */
const MEMBER = /^[A-Za-z_$][\w$]*(?:(?:\?\.|\.|::|->)[A-Za-z_$][\w$]*){1,8}$/;

/** `SetEnvironmentVariable`, `apiKeyV2`: words with their humps. By hand, for it has to be linear. */
export function isIdentifier(run: string): boolean {
  const digits = /(?<!\d)\d{1,3}$/.exec(run)?.[0].length ?? 0;
  const words = run.slice(0, run.length - digits);
  const parts = [...words.matchAll(/([A-Z]*)([a-z]*)/g)].filter(([part]) => part !== '');
  const length = parts.reduce((sum, [part]) => sum + part.length, 0);
  const areWords = parts.every(([, capitals = '', letters = ''], at) => {
    const isLast = at === parts.length - 1;
    if (letters === '') return capitals.length >= 2 || (isLast && at > 0);
    return letters.length >= 2 && capitals.length !== 2;
  });
  return areWords && parts.length > 0 && length === words.length;
}

/** Words with humps or underscores, as programs name things; a part of a token is none. */
function isProgramName(part: string): boolean {
  const words = part.split(/[_$]/).filter((word) => word !== '');
  return words.every((word) => /^\d{1,3}$/.test(word) || isIdentifier(word));
}

export function isReference(value: string): boolean {
  const bare = value.replace(/[;,!]{1,4}$/, '');
  if (PLACE.test(bare) || CALL.test(bare)) return true;
  return MEMBER.test(bare) && bare.split(/\?\.|\.|::|->/).every(isProgramName);
}
