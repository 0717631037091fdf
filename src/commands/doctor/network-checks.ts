/** What `doctor` looks at on the way out: certificates, and a proxy that is set. */

import type { Provider } from '../../base/errors.ts';
import type { Config, Environment } from '../../config.ts';
import { whyUnreachable } from '../../upstream/reach.ts';
import { readExtraCertificates } from '../../upstream/wire/certificates.ts';
import { createFetch } from '../../upstream/wire/http.ts';
import { proxyFor, targetOf } from '../../upstream/wire/proxy.ts';
import { ProxyError } from '../../upstream/wire/proxy-error.ts';
import { networkOf } from '../composition/home/network.ts';
import { type Finding, ok } from './finding.ts';

async function certificateFindings(config: Config, env: Environment): Promise<Finding[]> {
  const check = 'certificates';
  const findings: Finding[] = [];
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    // Whoever stands on the way then reads every key; node tells nobody but stderr.
    findings.push({
      check,
      status: 'fail',
      message: 'NODE_TLS_REJECT_UNAUTHORIZED=0 turns the check of certificates off',
      hint: 'take the variable out; for a company certificate set NODE_EXTRA_CA_CERTS to its file',
    });
  }
  if (config.extraCaCerts === null) return findings;
  const { path } = config.extraCaCerts;
  const { certificates, problem } = await readExtraCertificates(path);
  if (problem === null) findings.push(ok(check, `${certificates.length} more, from ${path}`));
  else {
    const hint = 'give the path of a file with certificates in PEM form';
    findings.push({ check, status: 'fail', message: problem, hint });
  }
  return findings;
}

type Way = { readonly through: string } | { readonly problem: ProxyError } | null;

/** Null: directly. */
function wayTo(baseUrl: string, config: Config): Way {
  try {
    const proxy = proxyFor(config.proxy, targetOf(baseUrl));
    return proxy && { through: `${proxy.address} (${proxy.setting})` };
  } catch (error) {
    if (error instanceof ProxyError) return { problem: error };
    throw error;
  }
}

async function proxyFinding(
  provider: Provider,
  baseUrl: string,
  config: Config,
): Promise<Finding | null> {
  const check = 'proxy';
  const way = wayTo(baseUrl, config);
  if (way === null) return null;
  if ('problem' in way) {
    const { message, hint } = way.problem;
    return { check, status: 'fail', message, hint };
  }
  const fetch = createFetch(networkOf(config, () => {}));
  const why = await whyUnreachable(provider, baseUrl, fetch);
  return why === null
    ? ok(check, `${way.through} leads to ${new URL(baseUrl).host}`)
    : { check, status: 'fail', ...why };
}

async function proxyFindings(config: Config): Promise<Finding[]> {
  const tried = await Promise.all([
    proxyFinding('deepseek', config.deepseekBaseUrl, config),
    proxyFinding('perplexity', config.perplexityBaseUrl, config),
  ]);
  const found = new Map(tried.flatMap((each) => (each === null ? [] : [[each.message, each]])));
  if (found.size > 0) return [...found.values()];
  const { httpsProxy, allProxy, httpProxy } = config.proxy;
  const isSet = (httpsProxy ?? allProxy ?? httpProxy) !== null;
  return [ok('proxy', isSet ? 'one is set, and not used for these addresses' : 'none')];
}

/** Everything between this program and its providers. */
export async function checkNetwork(config: Config, env: Environment): Promise<Finding[]> {
  return [...(await certificateFindings(config, env)), ...(await proxyFindings(config))];
}
