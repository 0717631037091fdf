import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CommandError, ConfigError } from '../../base/errors.ts';
import { type Config, loadConfig } from '../../config.ts';
import { type FileLock, withFileLock } from '../../disk/file-lock.ts';
import { resolveLinks } from '../../disk/links.ts';
import { replaceFile } from '../../disk/replace-file.ts';
import { rotateMaster } from '../../secrets/rotation.ts';
import { asKeyStoreError } from '../../secrets/store/store-text.ts';
import { type Command, type CommandInput, print, tell } from '../command.ts';
import { setVariable } from '../composition/home/settings-file.ts';
import { openStoreOf } from '../composition/keys/open-store.ts';

const STORE_NAME = /^store(?:\.[A-Za-z0-9][\w-]{0,31})?\.json$/;

/** The stores of all environments in the home folder, and the configured one wherever it is. */
async function storePaths(config: Config): Promise<string[]> {
  const names: string[] = await readdir(config.home).catch(() => []);
  const paths = names
    .filter((name) => STORE_NAME.test(name))
    .map((name) => join(config.home, name));
  const real = new Map<string, string>();
  for (const path of [config.storePath, ...paths]) {
    const key = await resolveLinks(path);
    if (!real.has(key)) real.set(key, path);
  }
  return [...real.values()];
}

interface Switch {
  readonly path: string;
  readonly to: (text: string, lock: FileLock) => Promise<void>;
}

/** Where a new master key can be put so that the next start finds it. */
async function masterSwitch(config: Config): Promise<Switch> {
  const { value, file, command } = config.masterKey;
  if (command !== null) {
    throw new ConfigError(
      'the master key comes from a command, which prints one and cannot take a new one; nothing was changed',
      {
        hint: `write what the command prints as MASTER_ENCRYPTION_KEY=… into ${config.dotenvPath} in the place of ${command.variable}, and run this again; then store the new key where the command reads it, and put the command back`,
      },
    );
  }
  if (file !== null) {
    const path = await resolveLinks(file.path);
    return { path, to: (text, lock) => replaceFile(path, `${text}\n`, { lock }) };
  }
  if (value?.file) {
    const path = await resolveLinks(value.file);
    return { path, to: (text, lock) => setVariable(path, value.variable, text, lock) };
  }
  throw new ConfigError(
    'the master key comes from the environment, which a command cannot change',
    {
      hint: `put it into ${config.dotenvPath} (MASTER_ENCRYPTION_KEY=…, chmod 600), take the variable out of the environment or the client's configuration, and run the command again`,
    },
  );
}

/** Copies from before a rotation still open with the old key; only their owner may delete them. */
async function legacyCopies(paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const folder of new Set(paths.map((path) => dirname(path)))) {
    const names: string[] = await readdir(folder).catch(() => []);
    found.push(
      ...names.filter((name) => name.includes('.legacy-')).map((name) => join(folder, name)),
    );
  }
  return found;
}

async function run(input: CommandInput): Promise<number> {
  const config = loadConfig(input.flags, input.env);
  await openStoreOf(input);
  const target = await masterSwitch(config);
  const result = await withFileLock(target.path, async (lock) =>
    rotateMaster({
      paths: await storePaths(config),
      masterKey: () => loadConfig(input.flags, input.env).masterKey,
      switchTo: (text) => target.to(text, lock),
    }),
  ).catch((error: unknown) => {
    throw asKeyStoreError(error);
  });
  if (result.rotated.length === 0)
    throw new CommandError('no store was rotated', { hint: 'run keypool-mcp doctor' });
  for (const path of result.rotated) {
    print(`${result.isFinished ? 'Finished the rotation of' : 'Rotated'} ${path}`);
  }
  print(`The new master key is in ${target.path}; the old one opens none of them any more.`);
  for (const { path, reason } of result.left) tell(`Left as it is: ${path} (${reason})`);
  for (const path of await legacyCopies(result.rotated)) {
    tell(`The old master key still opens ${path}: delete it when you do not need it.`);
  }
  tell(
    'Keep a copy of the new master key in a safe place. Running servers take it up by themselves.',
  );
  return 0;
}

export const command: Command = {
  help: `Makes a new master key for the stores of all environments in the home folder: both keys open them
until the settings file is switched and verified, then only the new one. Safe to interrupt; a second
run finishes it.`,
  options: {},
  arguments: [],
  run,
};
