/** The tests that the mutants of one room are held against; run.ts says which. */

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: (process.env.MUTATION_TESTS ?? 'test/none').split(','),
    testTimeout: 60_000,
  },
});
