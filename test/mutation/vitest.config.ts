/** The tests that mutants are held against: all but those of the built program. */

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['test/**/*.test.ts'], exclude: ['test/e2e/**', 'test/packaging/**'] },
});
