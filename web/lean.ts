/**
 * Leaves out of Socket.IO's client what this chat's wire never carries, binary data: it offers no build without it.
 */

import type { Plugin } from 'vite';

/** By importing package and module: what stands in its place. */
const LEFT_OUT: readonly { from: RegExp; module: string; code: string }[] = [
  {
    from: /\/socket\.io-parser\/build\/esm\/index\.js$/,
    module: './binary.js',
    code: 'export function deconstructPacket() {} export function reconstructPacket() {}',
  },
  { from: /\/socket\.io-parser\/build\/esm\/index\.js$/, module: './is-binary.js', code: 'export function isBinary() {} export function hasBinary() {}' },
  { from: /\/engine\.io-parser\/build\/esm\/decodePacket\.browser\.js$/, module: './contrib/base64-arraybuffer.js', code: 'export function decode() {}' },
];
const PREFIX = '\0lean:';

export function lean(): Plugin {
  const met = new Set<number>();
  return {
    name: 'lean',
    apply: 'build',
    enforce: 'pre',
    resolveId(module, importer) {
      const found = LEFT_OUT.findIndex((one) => one.module === module && one.from.test(importer ?? ''));
      if (found < 0) return null;
      met.add(found);
      return PREFIX + found;
    },
    load(id) {
      return id.startsWith(PREFIX) ? LEFT_OUT[Number(id.slice(PREFIX.length))]!.code : null;
    },
    buildEnd(problem) {
      if (!problem && met.size < LEFT_OUT.length) throw new Error('Socket.IO has other modules now: look at lean.ts again');
    },
  };
}
