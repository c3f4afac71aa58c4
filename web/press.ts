/**
 * The last step of a build: compresses every file with brotli and gzip, for the server to send as it is, and measures
 * a first load. If that is over the budget, the build fails.
 */

import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

/** Bytes of a first load over the wire, with gzip, which every browser and proxy supports. */
const BUDGET = 60_000;
/** The manifest, which the server makes for each room. */
const MANIFEST = 300;
/** A first load has one language; this is the larger one. */
const LANGUAGE = '/src/words/zh.ts';
const PRESSED = /\.(?:js|css|html|svg)$/;
/** Files that the build copies; their comments and indentation are removed. */
const COPIED = /^(?:index\.html|boot\.js|sw\.js)$/;
const FOR_READERS = /^[ \t]*(?:\/\/.*|\/\*[^]*?\*\/|<!--[^]*?-->)\n|^[ \t]+/gm;
/** Below this size, compression saves no packet. */
const SMALLEST = 500;

export function press(): Plugin {
  let out = '';
  /** the files that a first load requests */
  const first = new Set<string>(['index.html', 'boot.js', 'icon.svg']);
  return {
    name: 'press',
    apply: 'build',
    configResolved(config) {
      out = config.build.outDir;
    },
    writeBundle(options, bundle) {
      out = options.dir ?? out;
      const take = (name: string): void => {
        const chunk = bundle[name];
        if (!chunk || first.has(name)) return;
        first.add(name);
        if (chunk.type !== 'chunk') return;
        chunk.imports.forEach(take);
        chunk.viteMetadata?.importedCss.forEach(take);
      };
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== 'chunk') continue;
        if (chunk.isEntry) take(chunk.fileName);
        if (chunk.moduleIds.some((id) => id.endsWith(LANGUAGE))) take(chunk.fileName);
      }
    },
    closeBundle: {
      order: 'post',
      sequential: true,
      handler() {
        let gzip = MANIFEST;
        let brotli = MANIFEST;
        for (const name of readdirSync(out, { recursive: true, encoding: 'utf8' })) {
          if (!PRESSED.test(name)) continue;
          if (COPIED.test(name)) {
            writeFileSync(join(out, name), readFileSync(join(out, name), 'utf8').replace(FOR_READERS, ''));
          }
          const text = readFileSync(join(out, name));
          const br = brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } });
          const gz = gzipSync(text, { level: 9 });
          if (name.endsWith('.js') && /\bstatic\s*\{/.test(text.toString())) {
            throw new Error(`${name} has a static block, which the oldest browsers do not know: see SYNTAX in vite.config.ts`);
          }
          if (text.length >= SMALLEST) {
            writeFileSync(join(out, `${name}.br`), br);
            writeFileSync(join(out, `${name}.gz`), gz);
          }
          if (first.has(name.replaceAll('\\', '/'))) {
            gzip += Math.min(gz.length, text.length);
            brotli += Math.min(br.length, text.length);
          }
        }
        const size = `first load: ${(gzip / 1000).toFixed(1)} KB gzip, ${(brotli / 1000).toFixed(1)} KB brotli (budget ${BUDGET / 1000} KB)`;
        if (gzip > BUDGET) throw new Error(`${size}: too much for a first visit; load it lazily or do without`);
        console.log(size);
      },
    },
  };
}
