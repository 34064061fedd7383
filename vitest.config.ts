import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^htdml$/, replacement: source('src/index.ts') },
      { find: /^htdml\/objectives$/, replacement: source('objectives/index.ts') },
      { find: /^htdml\/proofs$/, replacement: source('proofs/index.ts') },
      { find: /^htdml\/tfjs$/, replacement: source('src/adapters/tfjs/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    // Test files already run side by side.
    env: { HTDML_THREADS: '1' },
    reporters: ['default', './test/support/summary-reporter.ts'],
  },
});
