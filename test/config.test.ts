import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../src/base/errors.ts';
import { loadConfig, presentValue } from '../src/config.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'keypool-config-'));
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

const settingsFile = (text: string): void => {
  writeFileSync(join(home, '.env'), text, { mode: 0o600 });
};

describe('the order of sources', () => {
  it('takes the environment over the settings file and the file over the default', () => {
    settingsFile('DEEPSEEK_MODEL=from-file\nKEYPOOL_MAX_CONCURRENT=7\n');
    const config = loadConfig({ home }, { DEEPSEEK_MODEL: 'from-environment' });
    expect(config.deepseekModel).toBe('from-environment');
    expect(config.maxConcurrent).toBe(7);
    expect(config.callTimeoutMs).toBe(180_000);
  });

  it('lets a flag outrank the environment', () => {
    expect(loadConfig({ home }, { KEYPOOL_HOME: '/elsewhere' }).home).toBe(home);
    expect(loadConfig({ home, logLevel: 'warn' }, { KEYPOOL_LOG_LEVEL: 'debug' }).logLevel).toBe(
      'warn',
    );
  });

  it('does not read a .env of the working directory', () => {
    settingsFile('DEEPSEEK_MODEL=from-working-directory\n');
    const before = process.cwd();
    process.chdir(home);
    try {
      expect(loadConfig({ home: join(home, 'other') }, {}).deepseekModel).toBe('deepseek-flash');
    } finally {
      process.chdir(before);
    }
  });

  it('reads a settings file with a byte order mark and CRLF', () => {
    settingsFile('\uFEFFDEEPSEEK_MODEL=windows\r\nKEYPOOL_MAX_CONCURRENT=3\r\n');
    expect(loadConfig({ home }, {})).toMatchObject({ deepseekModel: 'windows', maxConcurrent: 3 });
  });

  it('remembers which file a master key came from', () => {
    settingsFile('MASTER_ENCRYPTION_KEY=a-test-passphrase-of-some-length\n');
    expect(loadConfig({ home }, {}).masterKey.value).toMatchObject({
      variable: 'MASTER_ENCRYPTION_KEY',
      file: join(home, '.env'),
    });
    const fromEnvironment = loadConfig({ home }, { MASTER_ENCRYPTION_KEY: 'another-passphrase' });
    expect(fromEnvironment.masterKey.value).toMatchObject({ file: null });
  });
});

describe('values that a client left open', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the literal text is what clients leave
  it.each(['', '   ', '${DEEPSEEK_API_KEY}', 'your_key_here', 'your-api-key', 'changeme', '<key>'])(
    'counts %j as missing',
    (value) => {
      expect(presentValue(value)).toBeUndefined();
    },
  );

  it('takes any number of pool keys from the environment, with gaps', () => {
    const config = loadConfig(
      { home },
      {
        DEEPSEEK_API_KEY: 'sk-test-1',
        DEEPSEEK_API_KEY_17: ' sk-test-17 ',
        DEEPSEEK_API_KEY_0: 'no such name',
        PERPLEXITY_API_KEY_2: 'your_key_here',
        OTHER_API_KEY: 'not ours',
      },
    );
    expect([...config.environmentKeys.keys]).toEqual([
      ['DEEPSEEK_API_KEY', 'sk-test-1'],
      ['DEEPSEEK_API_KEY_17', 'sk-test-17'],
    ]);
  });
});

describe('the store of an environment', () => {
  it('has a file of its own', () => {
    expect(loadConfig({ home }, {}).storePath).toBe(join(home, 'store.json'));
    expect(loadConfig({ home, environment: 'staging' }, {})).toMatchObject({
      storePath: join(home, 'store.staging.json'),
      storeNamed: true,
      environment: 'staging',
    });
  });

  it('is not overridden by a KEYPOOL_STORE of the environment when a flag names it', () => {
    const config = loadConfig({ home, environment: 'staging' }, { KEYPOOL_STORE: '/other.json' });
    expect(config.storePath).toBe(join(home, 'store.staging.json'));
  });

  it.each(['../x', 'a/b', '.hidden', 'x'.repeat(33)])('refuses the name %j', (environment) => {
    expect(() => loadConfig({ home, environment }, {})).toThrow(ConfigError);
  });
});

describe('base URLs', () => {
  it.each([
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
    ['http://localhost:1/', 'http://localhost:1'],
    ['http://[::1]:9/v1/', 'http://[::1]:9/v1'],
    ['https://proxy.example/deepseek', 'https://proxy.example/deepseek'],
  ])('accepts %s', (raw, expected) => {
    expect(loadConfig({ home }, { DEEPSEEK_BASE_URL: raw }).deepseekBaseUrl).toBe(expected);
  });

  it.each([
    'http://10.0.0.1',
    'http://api.deepseek.com',
    'http://127.0.0.1.evil.example',
    'https://user:secret-part@api.deepseek.com',
    'ftp://127.0.0.1',
    'not a url',
    'https://api.deepseek.com/?x=1',
  ])('refuses %s without repeating it', (raw) => {
    expect(() => loadConfig({ home }, { DEEPSEEK_BASE_URL: raw })).toThrow(ConfigError);
    try {
      loadConfig({ home }, { DEEPSEEK_BASE_URL: raw });
    } catch (error) {
      expect(String(error)).not.toContain(raw);
      expect(error).toHaveProperty('hint', expect.stringMatching(/./));
    }
  });
});

describe('bad settings', () => {
  it.each([
    { KEYPOOL_MAX_CONCURRENT: '0' },
    { KEYPOOL_MAX_CONCURRENT: 'many' },
    { KEYPOOL_CALL_TIMEOUT_MS: '999' },
    { KEYPOOL_IDLE_TIMEOUT_MS: '1.5' },
    { KEYPOOL_LOG_LEVEL: 'loud' },
    { KEYPOOL_ENVIRONMENT: 'a b' },
  ])('are refused with the next step: %j', (env) => {
    expect(() => loadConfig({ home }, env)).toThrow(
      expect.objectContaining({ name: 'ConfigError', hint: expect.stringMatching(/./) }),
    );
  });

  it('says when the file given with --dotenv is missing', () => {
    expect(() => loadConfig({ home, dotenv: join(home, 'nowhere') }, {})).toThrow(/does not exist/);
  });
});

describe('the ledger', () => {
  it('is on unless it is turned off, and nothing in between', () => {
    const ledger = (value?: string) => loadConfig({ home }, { KEYPOOL_LEDGER: value }).ledger;
    expect([undefined, 'on', 'ON', '1', ''].map(ledger)).toEqual([true, true, true, true, true]);
    expect(['off', 'Off', 'false', '0'].map(ledger)).toEqual([false, false, false, false]);
    expect(() => ledger('maybe')).toThrow(ConfigError);
  });
});
