/** What is mutated, room by room, and the tests that each room has to be caught by. */

export interface MutatedRoom {
  readonly name: string;
  /** Globs of sources. */
  readonly sources: readonly string[];
  /** Globs of tests: the room's own, and those of its neighbours that need no minutes. */
  readonly tests: readonly string[];
}

export const ROOMS: readonly MutatedRoom[] = [
  {
    name: 'the pool’s rules',
    sources: ['src/pool/rules/**/*.ts'],
    tests: ['test/pool/rules/**/*.test.ts'],
  },
  {
    name: 'the pool’s records',
    sources: ['src/pool/records/**/*.ts'],
    tests: ['test/pool/records/**/*.test.ts'],
  },
  {
    name: 'the sealed format and rotation',
    sources: ['src/secrets/sealed/**/*.ts', 'src/secrets/rotation.ts'],
    tests: ['test/secrets/**/*.test.ts'],
  },
  {
    name: 'the HTTP guard',
    sources: ['src/http/door/guard.ts'],
    tests: ['test/http/door/**/*.test.ts'],
  },
  {
    name: 'the failure tables',
    sources: [
      'src/upstream/failures/failure.ts',
      'src/upstream/failures/failure-table.ts',
      'src/upstream/failures/error-body.ts',
      'src/upstream/failures/retry-after.ts',
      'src/upstream/deepseek/ending.ts',
    ],
    tests: ['test/upstream/failures/**/*.test.ts', 'test/upstream/deepseek/**/*.test.ts'],
  },
  {
    name: 'code extraction',
    sources: ['src/tools/code/**/*.ts'],
    tests: [
      'test/tools/code/answers.test.ts',
      'test/tools/code/fences.test.ts',
      'test/tools/code/names.test.ts',
      'test/tools/code/special-tokens.test.ts',
      'test/tools/code/split-answer.test.ts',
      'test/tools/code/unfenced.test.ts',
    ],
  },
];
