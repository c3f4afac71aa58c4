import { defineConfig } from 'vitest/config';

// A busy machine is slow, and no test here judges time by its limit.
export default defineConfig({ test: { include: ['tests/**/*.test.ts'], environment: 'node', testTimeout: 60_000 } });
