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
const lineOf = (text: string, piece: string): number =>
  text.split('\n').findIndex((line) => line.includes(piece)) + 1;

export const EXPORTS: readonly CorpusCase[] = [
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
];
