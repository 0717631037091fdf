/**
 * Every form in which the program is handed to a client or a registry, made from package.json, the
 * table of clients and the list of tools. `npm run forms` writes them; a test fails when one in
 * the repository is stale.
 */

import manifest from '../../package.json' with { type: 'json' };
import { ENTRY_NAME } from '../clients/client.ts';
import { TOOLS } from '../tools/index.ts';

const SUMMARY = 'DeepSeek code generation and Perplexity search over an encrypted pool of API keys';

const PRIVACY_POLICIES = [
  'https://cdn.deepseek.com/policies/en-US/deepseek-privacy-policy.html',
  'https://www.perplexity.ai/hub/legal/privacy-policy',
];

/** Variables a user may want to set where a client or a registry asks for them. */
const VARIABLES = [
  {
    name: 'DEEPSEEK_API_KEY',
    option: 'deepseek_api_key',
    title: 'DeepSeek API key',
    description: 'Only needed when the key is not in the key store',
    kind: 'secret',
  },
  {
    name: 'PERPLEXITY_API_KEY',
    option: 'perplexity_api_key',
    title: 'Perplexity API key',
    description: 'Only needed when the key is not in the key store',
    kind: 'secret',
  },
  {
    name: 'KEYPOOL_HOME',
    option: 'home',
    title: 'Home folder',
    description: 'Folder of the key store and its settings; empty for the usual one',
    kind: 'folder',
  },
] as const;

/** For clients that start servers from the checkout's folder. */
export function mcpJson(): object {
  return {
    mcpServers: {
      [ENTRY_NAME]: { type: 'stdio', command: 'node', args: ['dist/cli.js', 'serve'] },
    },
  };
}

/** MCP registry, schema 2025-12-11. */
export function serverJson(): object {
  return {
    $schema: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
    name: manifest.mcpName,
    title: 'Keypool MCP',
    description: SUMMARY,
    version: manifest.version,
    packages: [
      {
        registryType: 'npm',
        identifier: manifest.name,
        version: manifest.version,
        runtimeHint: 'npx',
        transport: { type: 'stdio' },
        environmentVariables: VARIABLES.map(({ name, title, description, kind }) => ({
          name,
          description: `${title}. ${description}`,
          format: kind === 'folder' ? 'filepath' : 'string',
          isRequired: false,
          isSecret: kind === 'secret',
        })),
      },
    ],
  };
}

/** The host puts the folder of the unpacked bundle in its place. */
export const BUNDLE_FOLDER = `\${__dirname}`;

/** MCPB bundle, manifest 0.3. An option left open arrives as `${…}`, which counts as missing. */
export function mcpbManifest(): object {
  const option = (name: string): string => `\${user_config.${name}}`;
  return {
    manifest_version: '0.3',
    name: manifest.name,
    display_name: 'Keypool MCP',
    version: manifest.version,
    description: SUMMARY,
    author: { name: 'The Keypool MCP maintainers' },
    license: manifest.license,
    server: {
      type: 'node',
      entry_point: 'dist/cli.js',
      mcp_config: {
        command: 'node',
        args: [`${BUNDLE_FOLDER}/dist/cli.js`, 'serve'],
        env: Object.fromEntries(VARIABLES.map(({ name, option: key }) => [name, option(key)])),
      },
    },
    tools: TOOLS.map(({ name, description }) => ({ name, description })),
    user_config: Object.fromEntries(
      VARIABLES.map(({ option: key, title, description, kind }) => [
        key,
        {
          type: kind === 'folder' ? 'directory' : 'string',
          title,
          description,
          required: false,
          ...(kind === 'secret' ? { sensitive: true } : {}),
        },
      ]),
    ),
    privacy_policies: PRIVACY_POLICIES,
    compatibility: {
      platforms: ['darwin', 'win32', 'linux'],
      runtimes: { node: manifest.engines.node },
    },
  };
}

/** What package.json has to say beside the bundle: its files are ES modules. */
export function mcpbPackageJson(): object {
  const { name, version, license, type } = manifest;
  return { name, version, license, type };
}

export function jsonText(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
