/**
 * The tests that mutants are held against: those of the rooms that are mutated, without the ones that
 * take seconds each (whole runs of the pool).
 */

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/{pool,secrets,upstream,tools}/**/*.test.ts', 'test/http/door/**/*.test.ts'],
    exclude: ['test/pool/scenarios/**'],
    testTimeout: 60_000,
  },
});
