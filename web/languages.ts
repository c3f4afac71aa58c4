/** Writes into the built document which file has which language, so that boot.js can fetch it along with the page, not after it. */

import type { Plugin } from 'vite';

const LANGUAGE = /\/src\/words\/(en|zh)\.ts$/;
const BOOT = /<script src="([^"]*boot\.js)"/;

export function languages(): Plugin {
  return {
    name: 'languages',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(html, { bundle }) {
        const named: string[] = [];
        for (const chunk of Object.values(bundle ?? {})) {
          if (chunk.type !== 'chunk' || chunk.moduleIds.length !== 1) continue;
          const lang = LANGUAGE.exec(chunk.moduleIds[0]!)?.[1];
          if (lang) named.push(` data-${lang}="${chunk.fileName}"`);
        }
        if (named.length !== 2 || !BOOT.test(html)) throw new Error('the languages have no files of their own any more');
        return html.replace(BOOT, `$&${named.sort().join('')}`);
      },
    },
  };
}
