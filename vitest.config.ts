import { defineConfig } from 'vitest/config';

// Kinds of test by file name: pure (*.test.ts), one service on a real database (*.int.test.ts), the running mesh (*.e2e.test.ts,
// one file at a time because they share its ports), and the mesh in containers, from inside (*.suite.test.ts, what the profile cicd
// runs) and from outside (*.containers.test.ts, which pull it apart).
const apart = ['int', 'e2e', 'suite', 'containers'].map((kind) => `**/*.${kind}.test.ts`);
const project = (name: string, include: string[], exclude: string[], more: object = {}) => ({
  test: { name, include, exclude: ['node_modules/**', '.data/**', ...exclude], environment: 'node', ...more },
});

export default defineConfig({
  test: {
    expect: { poll: { timeout: 10_000 } },
    projects: [
      project('unit', ['{services,tools}/**/*.test.ts'], apart, {
        testTimeout: 60_000,
        hookTimeout: 60_000,
      }),
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
      ...['suite', 'containers'].map((kind) =>
        project(kind, [`{services,tools}/**/*.${kind}.test.ts`], [], {
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        }),
      ),
    ],
  },
});
