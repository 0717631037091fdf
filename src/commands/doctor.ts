import { ConfigError } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import { type Config, loadConfig } from '../config.ts';
import { type Command, type CommandInput, print } from './command.ts';
import { checkClients } from './doctor/client-checks.ts';
import type { Finding } from './doctor/finding.ts';
import { checkHttp } from './doctor/http-checks.ts';
import { checkMoney } from './doctor/money-checks.ts';
import { checkNetwork } from './doctor/network-checks.ts';
import { checkSettings, nodeFinding } from './doctor/settings-checks.ts';
import { checkSharing } from './doctor/sharing-checks.ts';
import { checkStore } from './doctor/store-checks.ts';
import { hanging } from './terminal/wrap.ts';

const MARKS = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const;

async function diagnose(
  input: CommandInput,
): Promise<{ config: Config | null; findings: Finding[] }> {
  const node = nodeFinding(process.versions.node);
  let config: Config;
  try {
    config = loadConfig(input.flags, input.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const finding = {
      check: 'settings',
      status: 'fail',
      message: error.message,
      hint: error.hint,
    } as const;
    return { config: null, findings: [node, finding] };
  }
  const findings = [
    node,
    ...(await checkSettings(config)),
    ...(await checkNetwork(config, input.env)),
    ...(await checkStore(config)),
    ...(await checkHttp(config)),
    ...(await checkSharing(config)),
    ...(await checkMoney(config)),
    ...(await checkClients(input.env)),
  ];
  return { config, findings };
}

async function run(input: CommandInput): Promise<number> {
  const { config, findings } = await diagnose(input);
  const isFine = findings.every((finding) => finding.status !== 'fail');
  if (input.values.json === true) {
    const summary = {
      ok: isFine,
      version: VERSION,
      home: config?.home ?? null,
      environment: config?.environment ?? null,
      store: config?.storePath ?? null,
      checks: findings,
    };
    print(JSON.stringify(summary, null, 2));
    return isFine ? 0 : 1;
  }
  const width = Math.max(...findings.map((finding) => finding.check.length));
  for (const { check, status, message, hint } of findings) {
    print(hanging(`${MARKS[status]}  ${check.padEnd(width)}  `, message));
    if (hint !== '' && status !== 'ok') print(hanging(`      ${' '.repeat(width)}  → `, hint));
  }
  const failed = findings.filter((finding) => finding.status === 'fail').length;
  print(isFine ? '\nNothing has to be fixed.' : `\n${failed} to fix.`);
  return isFine ? 0 : 1;
}

export const command: Command = {
  help: `Looks at everything that has to be right before a call can work: node,
home folder, permissions, master key, key store, keys, base URLs, certificates, proxy, tokens of the
HTTP server, sharing, prices, budgets and clients. A proxy that is set is tried, without a key: it has to lead to both providers; a Redis is
tried, too. Each finding comes with its next step. Ends with 1 when something must be fixed.`,
  options: {
    json: {
      type: 'boolean',
      about:
        'for programs: {ok, version, home, environment, store, checks: [{check, status, message, hint}]}',
    },
  },
  arguments: [],
  run,
};
