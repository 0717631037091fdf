/** Exports of password managers, and files in other encodings. */

import { type CorpusCase, GITHUB, OPAQUE, PASSWORD, PX0, SK0, SK1 } from './corpus-case.ts';

const one = { DEEPSEEK_API_KEY: SK0 };
const both = { ...one, PERPLEXITY_API_KEY: PX0 };
const UUID = '6f1c2a34-1b2c-4d5e-8f90-a1b2c3d4e5f6';

const bitwarden = JSON.stringify(
  {
    encrypted: false,
    items: [
      {
        id: UUID,
        type: 1,
        name: 'DeepSeek API',
        notes: null,
        login: {
          uris: [{ uri: 'https://platform.deepseek.com' }],
          username: 'anna',
          password: SK0,
        },
      },
      {
        id: UUID,
        type: 1,
        name: 'Bank',
        login: { uris: [{ uri: 'https://bank.example' }], username: 'anna', password: PASSWORD },
      },
      {
        id: UUID,
        type: 1,
        name: 'Perplexity',
        login: { username: 'anna', password: PASSWORD },
        fields: [{ name: 'API key', value: PX0, type: 1 }],
      },
    ],
  },
  null,
  1,
);
const proton = JSON.stringify(
  {
    version: '1.31',
    vaults: {
      personal: {
        items: [
          {
            data: {
              metadata: { name: 'DeepSeek API' },
              content: { itemUsername: '', password: SK0, urls: ['https://api.deepseek.com/'] },
            },
          },
          {
            data: {
              metadata: { name: 'Bank' },
              content: { password: PASSWORD, urls: ['https://bank.example'] },
            },
          },
          { data: { metadata: { name: 'Perplexity', note: `key: ${PX0}` }, content: {} } },
        ],
      },
    },
  },
  null,
  1,
);
const field = (key: string, value: string): string =>
  `  <String><Key>${key}</Key><Value>${value}</Value></String>\n`;
const keepass = `<?xml version="1.0" encoding="utf-8" standalone="yes"?>
<KeePassFile><Root><Group>
<Entry>
${field('Title', 'DeepSeek &amp; co')}${field('Password', SK0)}${field('UserName', 'key')}
  <History><Entry>
${field('Title', 'DeepSeek')}${field('Password', SK1)}${field('UserName', 'key')}
  </Entry></History>
</Entry>
<Entry>
${field('Title', 'Perplexity')}${field('Password', PASSWORD)}${field('UserName', 'anna')}${field('API key', PX0)}
</Entry>
</Group></Root></KeePassFile>
`;
const lineOf = (text: string, piece: string): number =>
  text.split('\n').findIndex((line) => line.includes(piece)) + 1;

export const EXPORTS: readonly CorpusCase[] = [
  {
    title: 'an entry whose title says that it is out of use',
    text: `name,url,username,password\nDeepSeek (old),https://platform.deepseek.com,anna,${SK1}\nDeepSeek,https://platform.deepseek.com,anna,${SK0}\n`,
    sure: one,
    left: [2],
  },
  {
    title: '1Password',
    text: `Title,Url,Username,Password,OTPAuth,Favorite,Archived,Tags,Notes\nDeepSeek API key,https://platform.deepseek.com,anna,${SK0},,false,false,,\nBank,https://bank.example,anna,${PASSWORD},,false,false,,\n`,
    sure: one,
    left: [3],
  },
  {
    title: 'Bitwarden, a table',
    text: `folder,favorite,type,name,notes,fields,reprompt,login_uri,login_username,login_password,login_totp\n,,login,Perplexity,,"api key: ${PX0}",0,https://www.perplexity.ai,anna,${PASSWORD},\n,,login,Shop,,,0,https://shop.example,anna,${PASSWORD},\n`,
    sure: { PERPLEXITY_API_KEY: PX0 },
    left: [2, 3],
  },
  {
    title: 'Bitwarden, JSON',
    text: bitwarden,
    sure: both,
    left: [lineOf(bitwarden, PASSWORD), lineOf(bitwarden.replace(PASSWORD, ''), PASSWORD)],
  },
  {
    title: 'Chrome',
    text: `name,url,username,password,note\nplatform.deepseek.com,https://platform.deepseek.com/sign_in,anna@example.test,${PASSWORD},\ndeepseek api,https://api.deepseek.com,key,${SK0},\n`,
    sure: one,
    left: [2],
  },
  {
    title: 'KeePassXC',
    text: `"Group","Title","Username","Password","URL","Notes"\n"Root","DeepSeek","key","${SK0}","",""\n"Root","Mail","anna","${PASSWORD}","https://mail.example",""\n"Root","Perplexity","anna","${PASSWORD}","","key: ${PX0}"\n`,
    sure: both,
    left: [3, 4],
  },
  {
    title: 'nothing of ours',
    text: `name,url,username,password\nshop,https://shop.example,anna,${PASSWORD}\ncode,https://code.example,anna,${GITHUB}\n`,
    left: [2, 3],
  },
  {
    title: 'ours by the user name',
    text: `name,url,username,password\nAPI,,deepseek,${SK0}\nAPI,,other,${SK1}\n`,
    sure: one,
    left: [3],
  },
  {
    title: 'an id that is no key',
    text: `name,url,username,password,id\nDeepSeek,https://platform.deepseek.com,anna,${SK0},${UUID}\n`,
    sure: one,
  },
  {
    title: 'a note of several lines',
    text: `Title,Url,Username,Password,Notes\nDeepSeek,https://platform.deepseek.com,anna,${PASSWORD},"the keys\nkey: ${SK0}\nother: ${OPAQUE}"\n`,
    sure: one,
    left: [2, 4],
  },
  {
    title: 'Firefox, whose entries have no title',
    text: `"url","username","password","httpRealm","formActionOrigin","guid"\n"https://api.deepseek.com","key","${SK0}",,"","{${UUID}}"\n"https://platform.deepseek.com","anna","${PASSWORD}",,"","{${UUID}}"\n"https://code.example","anna","${GITHUB}",,"","{${UUID}}"\n`,
    sure: one,
    left: [3, 4],
  },
  {
    title: 'a column for keys beside the one for passwords',
    text: `Name,URL,Username,Password,API Key\nDeepSeek,https://platform.deepseek.com,anna,${PASSWORD},${SK0}\nBailian,https://bailian.example,anna,${PASSWORD},${SK1}\n`,
    sure: one,
    left: [2, 3],
  },
  {
    title: 'Proton Pass',
    text: proton,
    sure: both,
    left: [lineOf(proton, PASSWORD)],
  },
  {
    title: 'KeePass, XML with what an entry was before',
    text: keepass,
    sure: both,
    left: [lineOf(keepass, SK1), lineOf(keepass, PASSWORD)],
  },
  {
    title: 'KeePass, XML that is cut off',
    text: keepass.slice(0, keepass.indexOf('<History>')),
    left: [lineOf(keepass, SK0)],
  },
  {
    title: 'LastPass, secure notes and what it writes into them',
    text: `url,username,password,totp,extra,name,grouping,fav\nhttp://sn,,,,"${SK0}",DeepSeek API key,Dev,0\nhttp://sn,,,,"NoteType:Server\nHostname:api.deepseek.com\nUsername:\nPassword:${SK1}\nNotes:",DeepSeek,Dev,0\nhttp://sn,,,,"NoteType:Server\nPassword:${PASSWORD}",DeepSeek,Dev,0\n`,
    sure: one,
    likely: { DEEPSEEK_API_KEY_2: SK1 },
    left: [9],
  },
];
