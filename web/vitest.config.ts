import { defineConfig } from 'vitest/config';

// A busy machine is slow, and no test here judges time by its limit. All files run in the same processes: none leaves
// anything after, and to start one for each costs half as much again.
export default defineConfig({ test: { include: ['tests/**/*.test.ts'], environment: 'node', isolate: false, testTimeout: 60_000 } });
