import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  aliasedProvider,
  compareNames,
  freeName,
  isKeyName,
  nameProblem,
  poolName,
  providerOf,
} from '../../src/base/keys/key-names.ts';

describe('which names the pool serves', () => {
  it.each([
    ['DEEPSEEK_API_KEY', 'deepseek', 1],
    ['DEEPSEEK_API_KEY_1', 'deepseek', 1],
    ['DEEPSEEK_API_KEY_2', 'deepseek', 2],
    ['PERPLEXITY_API_KEY_99999', 'perplexity', 99_999],
  ])('serves %s', (name, provider, number) => {
    expect(poolName(name)).toEqual({ provider, number });
    expect(nameProblem(name)).toBeNull();
  });

  it.each([
    'DEEPSEEK_API_KEY_0',
    'DEEPSEEK_API_KEY_01',
    'DEEPSEEK_API_KEY_123456',
    'DEEPSEEK_API_KEY_',
    'DEEPSEEK_API_KEY2',
    'PERPLEXITY_API_KEY_00',
  ])('refuses %s, which it would never use', (name) => {
    expect(poolName(name)).toBeNull();
    expect(nameProblem(name)).toMatch(/never use/);
  });

  it.each(['BYBIT_API_KEY', 'BYBIT_API_KEY_0', 'DEEPSEEK_API_KEYS', 'A'])(
    'leaves %s to whoever uses it',
    (name) => {
      expect(providerOf(name)).toBeNull();
      expect(nameProblem(name)).toBeNull();
    },
  );

  it.each(['', 'lower', '2_KEY', 'A-B', '__proto__', `A${'B'.repeat(64)}`])(
    'takes no name like %j',
    (name) => {
      expect(isKeyName(name)).toBe(false);
      expect(nameProblem(name)).not.toBeNull();
    },
  );

  it('has for every name at most one meaning', () => {
    const number = fc.oneof(
      fc.constant(''),
      fc.stringMatching(/^_?\d{0,7}$/).map((text) => text),
    );
    fc.assert(
      fc.property(fc.constantFrom('DEEPSEEK', 'PERPLEXITY'), number, (family, suffix) => {
        const name = `${family}_API_KEY${suffix}`;
        expect(poolName(name) === null).toBe(nameProblem(name) !== null);
      }),
    );
  });
});

describe('names that people use', () => {
  it.each([
    ['PPLX_API_KEY', 'perplexity'],
    ['SONAR_API_KEY', 'perplexity'],
    ['PERPLEXITYAI_API_KEY', 'perplexity'],
    ['DEEPSEEK_KEY', 'deepseek'],
    ['DEEPSEEK_TOKEN', 'deepseek'],
    ['DEEPSEEK_API_KEY1', 'deepseek'],
    ['VITE_DEEPSEEK_API_KEY', 'deepseek'],
    ['NEXT_PUBLIC_PERPLEXITY_API_KEY', 'perplexity'],
    ['deepseek_api_key', 'deepseek'],
    ['DEEPSEEK_API_KEY', null],
    ['DEEPSEEK_BASE_URL', null],
    ['DEEPSEEK_MODEL', null],
    ['BYBIT_API_KEY', null],
    ['DEEPSEEK_KEY_FILE', null],
  ])('%s means %s', (name, provider) => {
    expect(aliasedProvider(name)).toBe(provider);
  });
});

describe('order and free numbers', () => {
  it('puts _2 before _10', () => {
    const names = ['DEEPSEEK_API_KEY_10', 'BYBIT_SECRET', 'DEEPSEEK_API_KEY_2', 'DEEPSEEK_API_KEY'];
    expect(names.sort(compareNames)).toEqual([
      'BYBIT_SECRET',
      'DEEPSEEK_API_KEY',
      'DEEPSEEK_API_KEY_2',
      'DEEPSEEK_API_KEY_10',
    ]);
  });

  it('finds the first gap, and none after the last number', () => {
    const taken = new Set(['DEEPSEEK_API_KEY', 'DEEPSEEK_API_KEY_2', 'DEEPSEEK_API_KEY_4']);
    expect(freeName('DEEPSEEK_API_KEY', 1, (name) => taken.has(name))).toBe('DEEPSEEK_API_KEY_3');
    expect(freeName('DEEPSEEK_API_KEY', 4, (name) => taken.has(name))).toBe('DEEPSEEK_API_KEY_5');
    expect(freeName('DEEPSEEK_API_KEY', 99_999, () => true)).toBeNull();
  });
});
