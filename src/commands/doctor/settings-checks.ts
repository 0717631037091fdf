/** Node, home, settings file, master key and addresses: what does not need the store. */

import type { Config } from '../../config.ts';
import { describeMasterKey, readMasterKey } from '../../secrets/master-key.ts';
import { type Finding, failed, ok, openBits } from './finding.ts';

const OLDEST_NODE = [20, 19] as const;
/** Its support by the Node project has ended. */
const LAST_UNSUPPORTED = 21;

export function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) {
    if (major > LAST_UNSUPPORTED) return ok('node', version);
    return {
      check: 'node',
      status: 'warn',
      message: `${version} gets no security fixes any more (since 2026-04-30)`,
      hint: 'install Node 22 or 24, then run keypool-mcp install for each client again',
    };
  }
  return {
    check: 'node',
    status: 'fail',
    message: `${version} is too old`,
    hint: `install Node ${OLDEST_NODE.join('.')} or newer`,
  };
}

async function homeFinding(config: Config): Promise<Finding> {
  if (config.isHomeless) {
    return {
      check: 'home',
      status: 'fail',
      message: 'this user has no home folder',
      hint: 'set KEYPOOL_HOME or give --home',
    };
  }
  const bits = await openBits(config.home);
  if (bits === null) {
    return {
      check: 'home',
      // What is needed from it, store and master key, is found missing below.
      status: 'warn',
      message: `${config.home} does not exist`,
      hint: 'run keypool-mcp init',
    };
  }
  if (bits === 0) return ok('home', config.home);
  return {
    check: 'home',
    status: 'warn',
    message: `others can look into ${config.home}`,
    hint: `run: chmod 700 ${config.home}`,
  };
}

async function settingsFinding(config: Config): Promise<Finding> {
  const bits = await openBits(config.dotenvPath);
  if (bits === null) {
    // Without a home there is no path to name.
    const missing = config.isHomeless ? 'no file' : `no ${config.dotenvPath}`;
    return ok('settings', `${missing}; the environment and the defaults hold`);
  }
  if (bits === 0) return ok('settings', config.dotenvPath);
  return {
    check: 'settings',
    status: 'warn',
    message: `others can read ${config.dotenvPath}`,
    hint: `run: chmod 600 ${config.dotenvPath}`,
  };
}

async function masterFinding(config: Config): Promise<Finding> {
  try {
    const { kind } = await readMasterKey(config.masterKey);
    const from = describeMasterKey(config.masterKey) ?? '';
    if (kind === 'generated') return ok('master key', `generated, from ${from}`);
    return {
      check: 'master key',
      status: 'warn',
      message: `a passphrase, from ${from}`,
      hint: 'a generated key is stronger: keypool-mcp keys rotate-master (a legacy store is migrated first)',
    };
  } catch (error) {
    return failed('master key', error);
  }
}

function baseUrlFindings(config: Config): Finding[] {
  const urls = [
    ['DeepSeek URL', config.deepseekBaseUrl, 'https://api.deepseek.com'],
    ['Perplexity URL', config.perplexityBaseUrl, 'https://api.perplexity.ai'],
  ] as const;
  return urls.map(([check, url, usual]) =>
    url === usual
      ? ok(check, url)
      : {
          check,
          status: 'warn',
          message: `${url} instead of ${usual}`,
          hint: 'keys are sent there: make sure that it is yours',
        },
  );
}

/** Everything that does not need the store. */
export async function checkSettings(config: Config): Promise<Finding[]> {
  return [
    await homeFinding(config),
    await settingsFinding(config),
    ...config.warnings.map((warning) => ({
      check: 'settings',
      status: 'warn' as const,
      ...warning,
    })),
    await masterFinding(config),
    ok('environment', config.environment ?? 'none (the default store)'),
    ...baseUrlFindings(config),
  ];
}
