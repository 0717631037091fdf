import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../lab/store.ts';
import { ConfigError } from '../../src/base/errors.ts';
import { loadConfig } from '../../src/config.ts';

const load = (env: Record<string, string>) => loadConfig({ home: temporaryFolder() }, env).sharing;
const redis = (url: string, more: Record<string, string> = {}) =>
  load({ KEYPOOL_REDIS_URL: url, KEYPOOL_REDIS_PLAINTEXT: 'on', ...more }).redis;

function refusal(env: Record<string, string>): ConfigError {
  try {
    load(env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
  }
  throw new Error('expected a ConfigError');
}

describe('sharing', () => {
  it('is on by default, on this machine alone', () => {
    expect(load({})).toEqual({ isOn: true, redis: null });
    expect(load({ KEYPOOL_SHARING: 'auto' }).isOn).toBe(true);
    expect(load({ KEYPOOL_SHARING: 'On' }).isOn).toBe(true);
  });

  it('is off when somebody says so, and no Redis is asked then', () => {
    expect(load({ KEYPOOL_SHARING: 'off', KEYPOOL_REDIS_URL: 'redis://127.0.0.1' })).toEqual({
      isOn: false,
      redis: null,
    });
    expect(refusal({ KEYPOOL_SHARING: 'perhaps' }).message).toContain('KEYPOOL_SHARING');
  });
});

describe('the address of a Redis', () => {
  it('of one server has a port, a user, a password and a database', () => {
    expect(redis('rediss://team:p%40ss@redis.example:6380/3')?.address).toEqual({
      kind: 'single',
      nodes: [{ host: 'redis.example', port: 6380 }],
      tls: true,
      user: 'team',
      password: 'p@ss',
      sentinelName: null,
      database: 3,
    });
    expect(redis('redis://:secret@[::1]')?.address).toMatchObject({
      nodes: [{ host: '::1', port: 6379 }],
      user: null,
      password: 'secret',
    });
    expect(redis('valkey://10.0.0.1:80')?.address.nodes).toEqual([{ host: '10.0.0.1', port: 80 }]);
  });

  it('of sentinels names the server', () => {
    expect(redis('redis-sentinel://a,b:26380/mymaster/2')?.address).toMatchObject({
      kind: 'sentinel',
      nodes: [
        { host: 'a', port: 26_379 },
        { host: 'b', port: 26_380 },
      ],
      sentinelName: 'mymaster',
      database: 2,
    });
  });

  it('of a cluster names some of its servers', () => {
    expect(redis('rediss-cluster://a:7000,b:7001')?.address).toMatchObject({
      kind: 'cluster',
      tls: true,
      nodes: [
        { host: 'a', port: 7000 },
        { host: 'b', port: 7001 },
      ],
    });
  });

  it.each([
    'http://secretword@host',
    'redis://',
    'redis://secretword:%zz@host',
    'redis://secretword@a,b',
    'redis-sentinel://secretword@a,b',
    'redis-cluster://secretword@a,b/1',
    'redis://secretword@host/one',
    'redis://secretword@host:port',
    'secretword',
  ])('that cannot be one is refused, and nothing of it is repeated: %s', (url) => {
    const error = refusal({ KEYPOOL_REDIS_URL: url, KEYPOOL_REDIS_PLAINTEXT: 'on' });
    expect(error.message).toContain('KEYPOOL_REDIS_URL');
    expect(error.message + error.hint).not.toContain('secretword');
  });

  it('over a network has to be encrypted, unless somebody says that the network is his', () => {
    const error = refusal({ KEYPOOL_REDIS_URL: 'redis://redis:6379' });
    expect(error.hint).toContain('KEYPOOL_REDIS_PLAINTEXT=on');
    expect(load({ KEYPOOL_REDIS_URL: 'redis://127.0.0.1:6379' }).redis).not.toBeNull();
    expect(load({ KEYPOOL_REDIS_URL: 'rediss://redis:6379' }).redis).not.toBeNull();
    expect(redis('redis://redis:6379')).not.toBeNull();
  });

  it('comes with files: a password, certificates', () => {
    expect(
      redis('rediss://host', {
        KEYPOOL_REDIS_PASSWORD_FILE: '/run/secrets/redis',
        KEYPOOL_REDIS_CA_FILE: '/ca.pem',
        KEYPOOL_REDIS_CERT_FILE: '/cert.pem',
        KEYPOOL_REDIS_KEY_FILE: '/key.pem',
      }),
    ).toMatchObject({
      passwordFile: '/run/secrets/redis',
      caFile: '/ca.pem',
      certificateFile: '/cert.pem',
      keyFile: '/key.pem',
    });
    expect(
      refusal({ KEYPOOL_REDIS_URL: 'rediss://host', KEYPOOL_REDIS_CERT_FILE: '/cert.pem' }).message,
    ).toContain('belong together');
  });
});
