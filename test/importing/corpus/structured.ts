/** Structured files. */

import {
  ANTHROPIC,
  type CorpusCase,
  OPAQUE,
  OPENAI,
  PASSWORD,
  PX0,
  SK0,
  SK1,
  SK2,
} from './corpus-case.ts';

const one = { DEEPSEEK_API_KEY: SK0 };
const two = { DEEPSEEK_API_KEY: SK0, DEEPSEEK_API_KEY_2: SK1 };
const both = { ...one, PERPLEXITY_API_KEY: PX0 };
const json = (value: unknown): string => JSON.stringify(value, null, 2);
const base64 = (text: string): string => Buffer.from(text).toString('base64');

export const STRUCTURED_FILES: readonly CorpusCase[] = [
  {
    title: 'flat JSON',
    text: json({ DEEPSEEK_API_KEY: SK0, PERPLEXITY_API_KEY: PX0 }),
    sure: both,
  },
  {
    title: 'JSON in one line',
    text: JSON.stringify({ DEEPSEEK_API_KEY: SK0, LOG_LEVEL: 'info' }),
    sure: one,
  },
  { title: 'a JSON list', text: json({ deepseek: [SK0, SK1] }), sure: two },
  {
    title: 'nested JSON',
    text: json({ deepseek: { api_key: SK0 }, perplexity: { apiKey: PX0 } }),
    sure: both,
  },
  {
    title: 'records with a name',
    text: json([
      { name: 'DeepSeek 1', value: SK0 },
      { name: 'DeepSeek 2', value: SK1 },
    ]),
    sure: two,
  },
  {
    title: 'a client’s mcp.json',
    text: json({
      mcpServers: {
        x: {
          command: 'npx',
          args: ['-y', 'x'],
          env: { DEEPSEEK_API_KEY: SK0, PERPLEXITY_API_KEY: PX0 },
        },
      },
    }),
    sure: both,
  },
  {
    title: 'JSON with comments',
    text: `// keys\n{\n  /* main */\n  "DEEPSEEK_API_KEY": "${SK0}", // Anna\n  "PERPLEXITY_API_KEY": "${PX0}",\n}\n`,
    sure: both,
  },
  {
    title: 'an old key in a JSON comment',
    text: `{\n  // "DEEPSEEK_API_KEY": "${SK1}",\n  "DEEPSEEK_API_KEY": "${SK0}"\n}\n`,
    sure: one,
    left: [2],
  },
  {
    title: 'JSON lines',
    text: `{"name":"DEEPSEEK_API_KEY","value":"${SK0}"}\n{"name":"PERPLEXITY_API_KEY","value":"${PX0}"}\n`,
    sure: both,
  },
  {
    title: 'JSON that is cut off',
    text: `{\n  "DEEPSEEK_API_KEY": "${SK0}",\n  "PERPLEXITY_API_KEY": "${PX0.slice(0, 30)}`,
    sure: one,
    left: [3],
  },
  {
    title: 'a name twice in JSON',
    text: `{\n  "DEEPSEEK_API_KEY": "${SK0}",\n  "DEEPSEEK_API_KEY": "${SK1}"\n}\n`,
    sure: two,
  },
  {
    title: 'one-api',
    text: json({
      channels: [{ id: 3, type: 36, name: 'deepseek', key: `${SK0}\n${SK1}`, status: 1 }],
    }),
    sure: two,
  },
  {
    title: 'LibreChat',
    text: `endpoints:\n  custom:\n    - name: "Deepseek"\n      apiKey: "${SK0}"\n      baseURL: "https://api.deepseek.com/v1"\n      models:\n        default: ["deepseek-chat"]\n`,
    likely: one,
  },
  {
    title: 'LibreChat, provided by the user',
    text: `endpoints:\n  custom:\n    - name: "Deepseek"\n      apiKey: "user_provided"\n      baseURL: "https://api.deepseek.com/v1"\n`,
  },
  {
    title: 'LiteLLM',
    text: `model_list:\n  - model_name: chat\n    litellm_params:\n      model: deepseek/deepseek-chat\n      api_key: ${SK0}\n  - model_name: search\n    litellm_params:\n      model: perplexity/sonar\n      api_key: ${PX0}\n`,
    likely: both,
  },
  {
    title: 'Continue',
    text: json({
      models: [{ title: 'DS', provider: 'deepseek', model: 'deepseek-coder', apiKey: SK0 }],
    }),
    likely: one,
  },
  {
    title: 'Perplexica',
    text: `[GENERAL]\nPORT = 3001\n\n[MODELS.DEEPSEEK]\nAPI_KEY = "${SK0}"\n\n[MODELS.ANTHROPIC]\nAPI_KEY = "${ANTHROPIC}"\n`,
    likely: one,
    left: [8],
  },
  {
    title: 'TOML',
    text: `[deepseek]\napi_key = "${SK0}"\n\n[perplexity]\nkeys = ["${PX0}"]\n`,
    sure: both,
  },
  {
    title: 'Codex’ TOML',
    text: `model = "gpt-5"\n\n[mcp_servers.x]\ncommand = "npx"\n\n[mcp_servers.x.env]\nDEEPSEEK_API_KEY = "${SK0}"\n`,
    sure: one,
  },
  {
    title: 'flat YAML',
    text: `DEEPSEEK_API_KEY: ${SK0}\nPERPLEXITY_API_KEY: "${PX0}"\n`,
    sure: both,
  },
  {
    title: 'nested YAML',
    text: `deepseek:\n  api_key: ${SK0}\nperplexity:\n  api_key: ${PX0}\n`,
    sure: both,
  },
  {
    title: 'compose, a map',
    text: `services:\n  app:\n    image: x\n    environment:\n      DEEPSEEK_API_KEY: ${SK0}\n      LOG_LEVEL: info\n`,
    sure: one,
  },
  {
    title: 'compose, a list',
    text: `services:\n  app:\n    image: x\n    environment:\n      - DEEPSEEK_API_KEY=${SK0}\n      - PERPLEXITY_API_KEY=${PX0}\n      - LOG_LEVEL=info\n`,
    sure: both,
  },
  {
    title: 'compose, an open variable',
    text: `services:\n  app:\n    environment:\n      - DEEPSEEK_API_KEY=\${DEEPSEEK_API_KEY}\n`,
    left: [4],
  },
  {
    title: 'a Secret of Kubernetes, stringData',
    text: `apiVersion: v1\nkind: Secret\nmetadata:\n  name: keys\nstringData:\n  DEEPSEEK_API_KEY: ${SK0}\n`,
    sure: one,
  },
  {
    title: 'a Secret of Kubernetes, data',
    text: `apiVersion: v1\nkind: Secret\nmetadata:\n  name: keys\ndata:\n  DEEPSEEK_API_KEY: ${base64(SK0)}\n  perplexity-api-key: ${base64(`${PX0}\n`)}\n`,
    sure: both,
  },
  {
    title: 'a Deployment of Kubernetes',
    text: `kind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n        - name: app\n          env:\n            - name: DEEPSEEK_API_KEY\n              value: ${SK0}\n            - name: LOG_LEVEL\n              value: info\n`,
    sure: one,
  },
  {
    title: 'a ConfigMap with a settings file inside',
    text: `kind: ConfigMap\ndata:\n  app.env: |\n    DEEPSEEK_API_KEY=${SK0}\n    LOG_LEVEL=info\n`,
    sure: one,
  },
  {
    title: 'a comment in YAML',
    text: `app:\n  env:\n    # DEEPSEEK_API_KEY: ${SK1}\n    DEEPSEEK_API_KEY: ${SK0}\n`,
    sure: one,
    left: [3],
  },
  {
    title: 'providers of a program',
    text: json({ providers: { deepseek: { api_key: SK0 }, openai: { api_key: OPENAI } } }),
    likely: one,
    left: [7],
  },
  {
    title: 'DeepSeek as if it were OpenAI',
    text: json({ provider: 'openai', baseURL: 'https://api.deepseek.com', apiKey: SK0 }),
    likely: one,
  },
  {
    title: 'Alibaba with a DeepSeek model',
    text: json({ model: 'deepseek-v3', baseURL: 'https://dashscope.aliyuncs.com/v1', apiKey: SK0 }),
    left: [4],
  },
  {
    title: 'passwords and ids in settings',
    text: json({ id: OPAQUE, user: 'anna', password: PASSWORD, deepseek: SK0 }),
    sure: one,
    left: [2, 4],
  },
  {
    title: 'two documents',
    text: `a:\n  DEEPSEEK_API_KEY: ${SK0}\n---\nb:\n  DEEPSEEK_API_KEY: ${SK1}\n`,
    sure: two,
  },
  {
    title: 'a table of keys',
    text: `service,api_key,note\nDeepSeek,${SK0},main\nPerplexity,${PX0},"for search, mostly"\n`,
    sure: both,
  },
  {
    title: 'a table with semicolons',
    text: `name;value\nDEEPSEEK_API_KEY;${SK0}\nDEEPSEEK_API_KEY_2;${SK1}\n`,
    sure: two,
  },
  {
    title: 'a table with tabs',
    text: `Service\tKey\nDeepSeek\t${SK0}\nDeepSeek\t${SK1}\nDeepSeek\t${SK2}\n`,
    sure: { ...two, DEEPSEEK_API_KEY_3: SK2 },
  },
  { title: 'a table without a header', text: `DeepSeek,${SK0}\nPerplexity,${PX0}\n`, sure: both },
  {
    title: 'providers that are told apart by an id beside their options',
    text: JSON.stringify({
      providers: [
        { id: 'deepseek', options: { apiKey: SK0 } },
        { id: 'zhipu', options: { apiKey: SK1 } },
      ],
    }),
    likely: { DEEPSEEK_API_KEY: SK0 },
    left: [1],
  },
  {
    title: 'JSON inside a text of JSON',
    text: JSON.stringify({
      Name: 'prod/llm',
      SecretString: JSON.stringify({ DEEPSEEK_API_KEY: SK0, db: { password: PASSWORD } }),
      backup: JSON.stringify({
        providers: JSON.stringify([
          { id: 'deepseek', apiKey: SK1 },
          { id: 'dashscope', apiKey: SK2, apiHost: 'https://dashscope.aliyuncs.com/v1/' },
        ]),
      }),
    }),
    sure: { ...two, DASHSCOPE_API_KEY: SK2 },
    left: [1],
  },
  {
    title: 'logins of programs',
    text: JSON.stringify(
      {
        anthropic: {
          type: 'oauth',
          refresh: `${'sk'}-ant-ort01-${OPAQUE}`,
          access: `${'sk'}-ant-oat01-${OPAQUE}`,
        },
        deepseek: { type: 'api', key: SK0 },
      },
      null,
      1,
    ),
    sure: { DEEPSEEK_API_KEY: SK0 },
    left: [4, 5],
  },
  {
    title: 'a model of ours at somebody else’s',
    text: `models:\n  - name: fast\n    provider: siliconflow\n    model: deepseek-ai/DeepSeek-V3\n    apiKey: ${SK0}\n  - name: own\n    provider: deepseek\n    model: deepseek-chat\n    apiKey: ${SK1}\n`,
    likely: { DEEPSEEK_API_KEY: SK1 },
    left: [5],
  },
  {
    title: 'a settings file inside a Secret of Kubernetes',
    text: `kind: Secret\ndata:\n  .env: ${Buffer.from(`DEEPSEEK_API_KEY=${SK0}\nPERPLEXITY_API_KEY=${PX0}\n`).toString('base64')}\n`,
    sure: both,
  },
  {
    title: 'an anchor that is taken in',
    text: `base: &base\n  provider: deepseek\n  api_key: ${SK0}\nprod:\n  <<: *base\n  model: deepseek-chat\n`,
    likely: { DEEPSEEK_API_KEY: SK0 },
  },
  {
    title: 'settings that have an address and a password, and keys below',
    text: json({
      url: 'https://app.example',
      username: 'anna',
      password: PASSWORD,
      providers: { deepseek: SK0 },
    }),
    sure: { DEEPSEEK_API_KEY: SK0 },
    left: [4],
  },
];
