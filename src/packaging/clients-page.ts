/** docs/clients.md: every client's configuration by hand, from the table that `install` uses. */

import { type Client, ENTRY_NAME, entryFields, type Launch } from '../clients/client.ts';
import { CLIENTS } from '../clients/client-rows.ts';
import { jsonFormat } from '../clients/json-format.ts';
import { tomlFormat } from '../clients/toml-format.ts';
import { yamlFormat } from '../clients/yaml-format.ts';
import seen from './seen-clients.json' with { type: 'json' };

/** The longest call is 180 s, and our answer has to arrive before the client gives up. */
const TOOL_TIMEOUT_SEC = 200;

const UNIX: Launch = {
  command: '/usr/bin/node',
  args: ['/path/to/keypool-mcp/dist/cli.js', 'serve'],
  toolTimeoutSec: TOOL_TIMEOUT_SEC,
};

const WINDOWS: Launch = {
  command: 'C:\\Program Files\\nodejs\\node.exe',
  args: ['C:\\path\\to\\keypool-mcp\\dist\\cli.js', 'serve'],
  toolTimeoutSec: TOOL_TIMEOUT_SEC,
};

/** The same through the client's own command line, where it has one. */
const OWN_COMMAND: Readonly<Partial<Record<Client['id'], string>>> = {
  'claude-code': `claude mcp add --scope user ${ENTRY_NAME} -- /usr/bin/node /path/to/keypool-mcp/dist/cli.js serve`,
  vscode: `code --add-mcp '{"name":"${ENTRY_NAME}","command":"/usr/bin/node","args":["/path/to/keypool-mcp/dist/cli.js","serve"]}'`,
  codex: `codex mcp add ${ENTRY_NAME} -- /usr/bin/node /path/to/keypool-mcp/dist/cli.js serve`,
};

const FORMATS = { json: jsonFormat, toml: tomlFormat, yaml: yamlFormat } as const;

const VSCODE_INPUT = 'deepseek-api-key';

const fence = (language: string, text: string): string =>
  `\`\`\`${language}\n${text.trim()}\n\`\`\``;

function entry(client: Client, launch: Launch): string {
  const format = FORMATS[client.format];
  const place = { root: client.root, name: ENTRY_NAME };
  return fence(client.format, format.render(place, entryFields(client, launch)));
}

function places({ files, overrides }: Client): string {
  const all = [...files.linux, ...files.darwin, ...files.win32].map((file) => `\`${file}\``);
  const moved = (overrides ?? []).map(({ variable }) => `; \`${variable}\` moves it`).join('');
  const [one] = all;
  const isSame = new Set(all.map((file) => file.replaceAll('\\', '/'))).size === 1;
  if (isSame && one !== undefined) return `File: ${one}${moved}.`;
  const rows = [
    ['Linux', files.linux],
    ['macOS', files.darwin],
    ['Windows', files.win32],
  ] as const;
  const lines = rows.map(([name, paths]) => {
    const named = [...new Set(paths)].map(
      (path) => `\`${path.replace('$XDG_CONFIG_HOME', '~/.config')}\``,
    );
    const choice = named.length > 1 ? ' (the first whose folder is there)' : '';
    return `- ${name}: ${named.join(', else ')}${choice}`;
  });
  if (moved !== '') lines.push('', `${moved.slice(2)}.`);
  return lines.join('\n');
}

function section(client: Client): string {
  const own = OWN_COMMAND[client.id];
  return [
    `## ${client.title}`,
    fence('sh', `keypool-mcp install ${client.id}`),
    places(client),
    entry(client, UNIX),
    'On Windows:',
    entry(client, WINDOWS),
    ...(own === undefined ? [] : [`Or by the client's own command:`, fence('sh', own)]),
    `Then ${client.next}.`,
  ].join('\n\n');
}

const INTRODUCTION = `# Clients

\`keypool-mcp install CLIENT\` does what this page shows, with the right paths, and keeps the rest of the client's file: comments, formatting, other servers. It copies the file first (one copy a day, beside the file, for your user alone; in the home folder of this program where the file is in a linked folder), changes nothing the second time, and refuses a file that it cannot read. \`--print\` shows the entry and writes nothing; \`uninstall CLIENT\` takes it out again; \`--project\` writes the client's file in the project you are in, which holds no path of your machine. \`--home\`, \`--store\`, \`--dotenv\`, \`--environment\` and \`--log-level\` are passed on to the server.

Both paths are absolute on purpose: desktop programs do not see the shell's \`PATH\`, and on Windows \`npx\` is a script that a client cannot start without \`cmd /c\`. The entries are for your user, not for a project: a project's file goes into its repository, and these paths hold on your machine alone.

No key stands in any of them. A key in a client's \`env\` block lies in plain text in the client's file and in the environment of the running server, where every program of yours can read it; the key store keeps it encrypted. It works all the same: the environment fills in names that the store does not have.

A call that finds no key asks for one where the client declares URL elicitation (VS Code; any client of revision 2025-11-25 with \`elicitation: {url: {}}\`, or of 2026-07-28): it leads you to a page on your own computer that works once, for ten minutes, and the same call goes on when you save; the time you take counts as the call's. In every other client the call ends with the command to type.

A call takes at most \`KEYPOOL_CALL_TIMEOUT_MS\`, 180 seconds unless you change it. Clients whose own limit for a tool call is shorter get a longer one where their file allows it (Codex: \`tool_timeout_sec\`, Zed: \`timeout\`, both in seconds).`;

/** What `npm run test:clients -- --write` saw. */
function seenSection(): string {
  const rows = seen.map(
    ({ title, version, date, list, calls }) =>
      `| ${title} | ${version} | ${date} | ${list} | ${calls} |`,
  );
  return `## Seen working

\`npm run test:clients\` takes each of these from npm, enters the server by \`keypool-mcp install\`, and lets the client connect in a network namespace with nothing but loopback. Where a client's model can be played by a script it calls both tools, and what the model is given is checked: an answer, sources, an error, a pool without a key, and 30,000 tokens of code.

| client | version | seen on | \`mcp list\` | calls |
|---|---|---|---|---|
${rows.join('\n')}

Claude Code and Qwen Code give their model the structured result alone, opencode the text alone. Claude Code shows a result of 500,000 characters whole; Qwen Code puts a long one into a file and names it, opencode cuts it. What our own text has to cut is kept for half an hour as a resource, \`keypool://results/…\`, whose address stands at the beginning.`;
}

const FOR_A_PROJECT = `## For a project, or a team

In a file that is shared (\`.mcp.json\` for Claude Code, \`.vscode/mcp.json\` with \`servers\` in place of \`mcpServers\` for VS Code, \`.cursor/mcp.json\` for Cursor) let npm find the program:

${fence(
  'json',
  JSON.stringify(
    {
      mcpServers: { [ENTRY_NAME]: { type: 'stdio', command: 'npx', args: ['-y', 'keypool-mcp'] } },
    },
    null,
    2,
  ),
)}

On Windows \`npx\` needs a shell:

${fence(
  'json',
  JSON.stringify(
    {
      mcpServers: {
        [ENTRY_NAME]: { type: 'stdio', command: 'cmd', args: ['/c', 'npx', '-y', 'keypool-mcp'] },
      },
    },
    null,
    2,
  ),
)}

VS Code can ask for a key and keep it itself, for those who want no store:

${fence(
  'json',
  JSON.stringify(
    {
      inputs: [
        {
          type: 'promptString',
          id: VSCODE_INPUT,
          description: 'DeepSeek API key',
          password: true,
        },
      ],
      servers: {
        [ENTRY_NAME]: {
          type: 'stdio',
          command: 'npx',
          args: ['-y', 'keypool-mcp'],
          env: { DEEPSEEK_API_KEY: `\${input:${VSCODE_INPUT}}` },
        },
      },
    },
    null,
    2,
  ),
)}

## From a checkout

\`mcp.json\` at the top of the repository works as it stands for clients that are started there, after \`npm ci && npm run build\`: \`claude --mcp-config mcp.json\`.

## As a bundle

\`npm run mcpb\` builds and validates \`build/keypool-mcp.mcpb\`, which Claude Desktop installs by a double click. It asks for keys and for the home folder; leave everything empty to use the key store.`;

export function clientsPage(): string {
  return `${[INTRODUCTION, ...CLIENTS.map(section), FOR_A_PROJECT, seenSection()].join('\n\n')}\n`;
}
