import { defineConfig } from 'vitest/config';

// Kinds of test by file name: pure (*.test.ts), one service on a real database (*.int.test.ts), the running mesh (*.e2e.test.ts),
// and a mesh in containers that runs already (*.containers.test.ts); of these two one file at a time, for they share a mesh.
const project = (name: string, include: string[], exclude: string[], more: object = {}) => ({
  test: { name, include, exclude: ['node_modules/**', '.data/**', ...exclude], environment: 'node', ...more },
});

export default defineConfig({
  test: {
    expect: { poll: { timeout: 10_000 } },
    projects: [
      project(
        'unit',
        ['{services,tools}/**/*.test.ts'],
        ['**/*.int.test.ts', '**/*.e2e.test.ts', '**/*.containers.test.ts'],
        {
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      ),
      project('services', ['{services,tools}/**/*.int.test.ts'], [], {
        testTimeout: 120_000,
        hookTimeout: 180_000,
        maxWorkers: 2,
      }),
      project('mesh', ['{services,tools}/**/*.e2e.test.ts'], [], {
        testTimeout: 300_000,
        hookTimeout: 300_000,
        fileParallelism: false,
      }),
      project('containers', ['{services,tools}/**/*.containers.test.ts'], [], {
        testTimeout: 300_000,
        hookTimeout: 300_000,
        fileParallelism: false,
      }),
    ],
  },
});
