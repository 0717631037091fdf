/** Settings files and the files of shells. */

import {
  ANTHROPIC,
  BYBIT_SECRET,
  type CorpusCase,
  GITHUB,
  LONGER_SK,
  OPAQUE,
  OPENAI,
  PASSWORD,
  PX0,
  PX1,
  SK0,
  SK1,
  SK2,
  SK3,
} from './corpus-case.ts';

const one = { DEEPSEEK_API_KEY: SK0 };
const two = { DEEPSEEK_API_KEY: SK0, DEEPSEEK_API_KEY_2: SK1 };

export const SETTINGS_FILES: readonly CorpusCase[] = [
  {
    title: 'the password of an account of ours',
    text: `DEEPSEEK_PASSWORD=${PASSWORD}\nDEEPSEEK_EMAIL=a@example.test\nDEEPSEEK_API_KEY=${SK0}\n`,
    sure: one,
    left: [1],
  },
  {
    title: 'Claude Code on DeepSeek',
    text: `ANTHROPIC_BASE_URL=https://api.deepseek.com/anthropic\nANTHROPIC_AUTH_TOKEN=${SK0}\n`,
    likely: one,
  },
  {
    title: 'a .env',
    text: `DEEPSEEK_API_KEY=${SK0}\nPERPLEXITY_API_KEY=${PX0}\n`,
    sure: { ...one, PERPLEXITY_API_KEY: PX0 },
  },
  { title: 'quotes and a remark', text: `DEEPSEEK_API_KEY="${SK0}" # main account\n`, sure: one },
  { title: 'a note glued to the value', text: `DEEPSEEK_API_KEY=${SK0}#main\n`, sure: one },
  { title: 'single quotes, spaces', text: `DEEPSEEK_API_KEY = '${SK0}'\n`, sure: one },
  { title: 'CRLF and a semicolon', text: `DEEPSEEK_API_KEY=${SK0};\r\n`, sure: one },
  {
    title: 'a .bashrc',
    text: `alias ll='ls -l'\nexport PATH=$PATH:/opt/bin\nexport DEEPSEEK_API_KEY=${SK0}\nexport EDITOR=vim\n`,
    sure: one,
  },
  {
    title: 'several exports in a line',
    text: `export DEEPSEEK_API_KEY=${SK0} PERPLEXITY_API_KEY=${PX0}\n`,
    sure: { ...one, PERPLEXITY_API_KEY: PX0 },
  },
  {
    title: 'fish',
    text: `set -gx DEEPSEEK_API_KEY ${SK0}\nset -Ux PERPLEXITY_API_KEY "${PX0}"\n`,
    sure: { ...one, PERPLEXITY_API_KEY: PX0 },
  },
  { title: 'csh', text: `setenv DEEPSEEK_API_KEY ${SK0}\n`, sure: one },
  {
    title: 'cmd',
    text: `@echo off\r\nset DEEPSEEK_API_KEY=${SK0}\r\nset "PERPLEXITY_API_KEY=${PX0}"\r\n`,
    sure: { ...one, PERPLEXITY_API_KEY: PX0 },
  },
  { title: 'setx', text: `setx DEEPSEEK_API_KEY "${SK0}"\n`, sure: one },
  {
    title: 'PowerShell',
    text: `$env:DEEPSEEK_API_KEY = "${SK0}"\n[Environment]::SetEnvironmentVariable("PERPLEXITY_API_KEY", "${PX0}", "User")\n`,
    sure: { ...one, PERPLEXITY_API_KEY: PX0 },
  },
  {
    title: 'a Dockerfile',
    text: `FROM node:20\nENV DEEPSEEK_API_KEY=${SK0} NODE_ENV=production\nENV PERPLEXITY_API_KEY ${PX0}\nRUN npm ci\n`,
    sure: { ...one, PERPLEXITY_API_KEY: PX0 },
  },
  {
    title: 'a systemd unit',
    text: `[Service]\nEnvironment="DEEPSEEK_API_KEY=${SK0}" "LOG_LEVEL=info"\nEnvironment=PERPLEXITY_API_KEY=${PX0}\nExecStart=/usr/bin/app\n`,
    sure: { ...one, PERPLEXITY_API_KEY: PX0 },
  },
  {
    title: 'docker run',
    text: `docker run -d -e DEEPSEEK_API_KEY=${SK0} -p 8080:80 my/image\n`,
    sure: one,
  },
  {
    title: 'a command in front',
    text: `DEEPSEEK_API_KEY=${SK0} npx something --flag\n`,
    sure: one,
  },
  {
    title: 'Java properties',
    text: `# app\nserver.port=8080\ndeepseek.api.key=${SK0}\nspring.ai.perplexity.api-key=${PX0}\n`,
    sure: one,
    likely: { PERPLEXITY_API_KEY: PX0 },
  },
  {
    title: 'an INI file with sections',
    text: `[deepseek]\napi_key=${SK0}\nbase_url=https://api.deepseek.com\n\n[perplexity]\nkey=${PX0}\n`,
    sure: { ...one, PERPLEXITY_API_KEY: PX0 },
  },
  {
    title: 'a section with a password',
    text: `[deepseek]\npassword=${PASSWORD}\nkey=${SK0}\n`,
    sure: one,
    left: [2],
  },
  {
    title: 'Python',
    text: `import os\nos.environ["DEEPSEEK_API_KEY"] = "${SK0}"\nPERPLEXITY_API_KEY = '${PX0}'\n`,
    sure: { ...one, PERPLEXITY_API_KEY: PX0 },
  },
  {
    title: 'JavaScript',
    text: `const DEEPSEEK_API_KEY = "${SK0}";\nprocess.env.PERPLEXITY_API_KEY = '${PX0}';\n`,
    sure: { ...one, PERPLEXITY_API_KEY: PX0 },
  },
  { title: 'several in one variable, commas', text: `DEEPSEEK_API_KEY=${SK0},${SK1}\n`, sure: two },
  {
    title: 'several in one variable, semicolons',
    text: `DEEPSEEK_API_KEYS="${SK0}; ${SK1}"\n`,
    sure: two,
  },
  {
    title: 'several in one variable, spaces',
    text: `DEEPSEEK_API_KEYS=${SK0} ${SK1}\n`,
    sure: two,
  },
  {
    title: 'a JSON list in a variable',
    text: `DEEPSEEK_API_KEYS=["${SK0}","${SK1}"]\n`,
    sure: two,
  },
  {
    title: 'a list over several lines',
    text: `DEEPSEEK_API_KEYS="${SK0}\n${SK1}"\nLOG_LEVEL=info\n`,
    sure: two,
  },
  {
    title: 'numbers, gaps, the same name twice',
    text: `DEEPSEEK_API_KEY_7=${SK0}\nDEEPSEEK_API_KEY=${SK1}\nDEEPSEEK_API_KEY=${SK2}\n`,
    sure: { DEEPSEEK_API_KEY_7: SK0, DEEPSEEK_API_KEY: SK1, DEEPSEEK_API_KEY_2: SK2 },
  },
  {
    title: 'an old key in a comment',
    text: `# DEEPSEEK_API_KEY=${SK1}\nDEEPSEEK_API_KEY=${SK0}\n`,
    sure: one,
    left: [1],
  },
  { title: 'a Perplexity key under a DeepSeek name', text: `DEEPSEEK_API_KEY=${PX0}\n`, left: [1] },
  {
    title: 'other providers under a DeepSeek name',
    text: `DEEPSEEK_API_KEY=${ANTHROPIC}\nDEEPSEEK_API_KEY_2=${OPENAI}\nPERPLEXITY_API_KEY=${SK0}\n`,
    left: [1, 2, 3],
  },
  {
    title: 'another sk- under the name',
    text: `DEEPSEEK_API_KEY=${LONGER_SK}\n`,
    sure: { DEEPSEEK_API_KEY: LONGER_SK },
  },
  {
    title: 'a form of nobody under the name',
    text: `DEEPSEEK_API_KEY=${OPAQUE}\n`,
    likely: { DEEPSEEK_API_KEY: OPAQUE },
  },
  {
    title: 'placeholders',
    text: `DEEPSEEK_API_KEY=sk-your-deepseek-api-key\nPERPLEXITY_API_KEY=pplx-your-api-key\nDEEPSEEK_API_KEY_2=$DEEPSEEK_API_KEY\nDEEPSEEK_API_KEY_3=%DEEPSEEK_API_KEY%\nDEEPSEEK_API_KEY_4={{ deepseek }}\nOPENAI_API_KEY=user_provided\nGROQ_API_KEY=gsk_${'x'.repeat(40)}\nDEEPSEEK_API_KEY_5=sk-...\nA_KEY=key1\nB_KEY=dummy\nC_KEY=EMPTY\n`,
    left: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  },
  {
    title: 'settings that are no keys',
    text: `MAX_TOKENS=4096\nAUTHOR=ada\nSSH_AUTH_SOCK=/tmp/ssh-x/agent.1\nRESOLUTION=1920x1080x24\nDEEPSEEK_BASE_URL=https://api.deepseek.com\nDEEPSEEK_MODEL=deepseek-chat\nTOKEN_LIMIT=12\nDEBUG=true\n`,
  },
  {
    title: 'a master key and settings of this program',
    text: `MASTER_ENCRYPTION_KEY=kpm1_${OPAQUE}\nKEYPOOL_HTTP_TOKEN=${OPAQUE}\nDEEPSEEK_API_KEY=${SK0}\n`,
    sure: one,
    left: [1, 2],
  },
  {
    title: 'names that people use',
    text: `PPLX_API_KEY=${PX0}\nSONAR_API_KEY=${PX1}\nDEEPSEEK_KEY=${SK0}\nDEEPSEEK_API_KEY1=${SK1}\nVITE_DEEPSEEK_API_KEY=${SK2}\n`,
    likely: {
      PERPLEXITY_API_KEY: PX0,
      PERPLEXITY_API_KEY_2: PX1,
      DEEPSEEK_API_KEY_2: SK0,
      DEEPSEEK_API_KEY: SK1,
      DEEPSEEK_API_KEY_3: SK2,
    },
  },
  {
    title: 'names that the pool would never use',
    text: `DEEPSEEK_API_KEY_0=${SK0}\nDEEPSEEK_API_KEY_01=${SK1}\nDEEPSEEK_API_KEY_123456=${SK2}\n`,
    likely: { DEEPSEEK_API_KEY: SK0, DEEPSEEK_API_KEY_2: SK1, DEEPSEEK_API_KEY_3: SK2 },
  },
  {
    title: 'keys of other programs',
    text: `BYBIT_API_SECRET=${BYBIT_SECRET}\nGITHUB_TOKEN=${GITHUB}\nOPENAI_API_KEY=${OPENAI}\nDB_PASSWORD=${PASSWORD}\n`,
    sure: {
      BYBIT_API_SECRET: BYBIT_SECRET,
      GITHUB_TOKEN: GITHUB,
      OPENAI_API_KEY: OPENAI,
      DB_PASSWORD: PASSWORD,
    },
  },
  {
    title: 'addresses with passwords',
    text: `DATABASE_URL=postgres://app:${PASSWORD}@db:5432/app\nREDIS_URL=redis://localhost:6379\n`,
    left: [1],
  },
  {
    title: 'an unclosed quote',
    text: `DEEPSEEK_API_KEY="${SK0}\nPERPLEXITY_API_KEY=${PX0}\nLOG_LEVEL=info\n`,
    sure: { PERPLEXITY_API_KEY: PX0 },
    left: [1],
  },
  {
    title: 'a private key',
    text: `SIGNING_KEY="-----BEGIN PRIVATE KEY-----\n${OPAQUE}\n-----END PRIVATE KEY-----"\nDEEPSEEK_API_KEY=${SK0}\n`,
    sure: one,
    left: [1, 2, 3],
  },
  {
    title: 'the address of another provider',
    text: `DEEPSEEK_BASE_URL=https://dashscope.aliyuncs.com/compatible-mode/v1\nDEEPSEEK_API_KEY=${SK0}\n`,
    likely: one,
  },
  {
    title: 'DeepSeek under a name of OpenAI',
    text: `OPENAI_BASE_URL=https://api.deepseek.com\nOPENAI_API_KEY=${SK0}\n`,
    likely: one,
  },
  {
    title: 'a key that an address carries',
    text: `WEBHOOK=https://example.test/hook?key=${SK3}\n`,
    left: [1],
  },
  {
    title: 'a name on one line, its value below',
    text: `DEEPSEEK_API_KEY\n${SK0}\n\nPERPLEXITY_API_KEY\n${PX0}\n`,
    sure: { ...one, PERPLEXITY_API_KEY: PX0 },
  },
  { title: 'a generic name', text: `API_KEY=${SK0}\n`, likely: one },
  {
    title: 'an environment in a plist',
    text: `<dict>\n  <key>DEEPSEEK_API_KEY</key>\n  <string>${SK0}</string>\n</dict>\n`,
    sure: one,
  },
  {
    title: 'web.config',
    text: `<appSettings>\n  <add key="DEEPSEEK_API_KEY" value="${SK0}" />\n</appSettings>\n`,
    sure: one,
  },
  {
    title: 'what holds where a variable is not set',
    text: `DEEPSEEK_API_KEY=\${DEEPSEEK_API_KEY:-${SK0}}\nPERPLEXITY_API_KEY="\${PERPLEXITY_API_KEY-${PX0}}"\nDEEPSEEK_API_KEY_2=\${DEEPSEEK_API_KEY_2}\nA_KEY=\${env:A_KEY}\n`,
    sure: { ...one, PERPLEXITY_API_KEY: PX0 },
    left: [3, 4],
  },
  {
    title: 'several of different providers under one name',
    text: `OPENAI_API_BASE_URLS=https://api.deepseek.com;https://api.openai.com/v1\nOPENAI_API_KEYS=${SK0};${OPENAI}\n`,
    left: [2],
  },
  {
    title: 'an item of PowerShell’s drive',
    text: `New-Item -Path Env:\\DEEPSEEK_API_KEY -Value "${SK0}"\n`,
    sure: one,
  },
  {
    title: 'placeholders in other languages',
    text: `DEEPSEEK_API_KEY=sk-ihr-deepseek-schluessel-hier\nDEEPSEEK_API_KEY_2=sk-your-key-goes-here-1234567890\nPERPLEXITY_API_KEY=pplx-votre-cle-api-ici\nPERPLEXITY_API_KEY_2=pplx-tu-clave-de-api-aqui\nA_KEY=OPENAI_API_KEY\n`,
    left: [1, 2, 3, 4, 5],
  },
  {
    title: 'a netrc, an entry over three lines',
    text: `machine api.deepseek.com\n  # the new one\n  login token\n  password ${SK0}\n\nmachine github.com\n\tlogin ada\n\tpassword ${GITHUB}\n\nmachine api.perplexity.ai login x password ${PX0}\n`,
    likely: { DEEPSEEK_API_KEY: SK0, PERPLEXITY_API_KEY: PX0 },
    left: [8],
  },
  {
    title: 'a netrc with a web password, and with words after it',
    text: `machine chat.deepseek.com\nlogin ada\npassword ${PASSWORD}\nmachine api.deepseek.com\nask Anna\npassword ${SK0}\n`,
    left: [3, 6],
  },
];
