// Loaded into the program under test: its file system has no hard links, as exFAT has none.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const refuse = () =>
  Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' });
fs.promises.link = () => Promise.reject(refuse());
fs.linkSync = () => {
  throw refuse();
};
syncBuiltinESMExports();
