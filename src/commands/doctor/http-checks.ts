/** What `doctor` says of who may use `serve --http`: the owner's token, and those of named clients. */

import { CommandError, ConfigError, DiskError } from '../../base/errors.ts';
import type { Config } from '../../config.ts';
import { clientTokensPath, readClientTokens } from '../../secrets/client-tokens.ts';
import { presentHttpToken } from '../http/http-token.ts';
import { type Finding, ok } from './finding.ts';

function asFinding(check: string, error: unknown): Finding {
  const isOurs =
    error instanceof ConfigError || error instanceof DiskError || error instanceof CommandError;
  if (!isOurs) throw error;
  return { check, status: 'fail', message: error.message, hint: error.hint };
}

async function tokenFindings(config: Config): Promise<Finding[]> {
  const check = 'http token';
  try {
    const token = await presentHttpToken(config);
    if (token === null) return [];
    if (token.warning !== null) return [{ check, status: 'warn', ...token.warning }];
    return [ok(check, token.isConfigured ? 'yours, configured' : 'generated, in the home folder')];
  } catch (error) {
    return [asFinding(check, error)];
  }
}

async function clientFindings(config: Config): Promise<Finding[]> {
  const check = 'named clients';
  try {
    const clients = await readClientTokens(clientTokensPath(config.home));
    return clients.length === 0 ? [] : [ok(check, `${clients.length} may call over HTTP`)];
  } catch (error) {
    return [asFinding(check, error)];
  }
}

/** Nothing where nobody ever served over HTTP. */
export async function checkHttp(config: Config): Promise<Finding[]> {
  if (config.isHomeless) return [];
  return [...(await tokenFindings(config)), ...(await clientFindings(config))];
}
