import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';
import { languages } from './languages';
import { lean } from './lean';
import { press } from './press';

// The oldest supported browsers, as in docs/page.md; boot.js shows a sentence in older ones. They know all of ES2022 except
// static blocks, of which press.ts finds none; naming them here would rewrite every private field, 1.4 KB of a first load.
// Safari before 16, which is not supported, fails on parentheses in class fields (WebKit bug 236843).
const SYNTAX = 'es2022';
const OLDEST = ['chrome93', 'edge93', 'firefox98', 'safari16'];

// Tree-shake Socket.IO's client: its packages do not say that they have no side effects.
const SOCKET_IO = /\/node_modules\/(?:@socket\.io|(?:socket|engine)\.io-[a-z]+)\//;

// The page names its transports itself (src/socket.ts); Engine.IO's own table would bring five, used or not.
const TRANSPORTS = /\/engine\.io-client\/build\/esm\/transports\//;
const ownTransports: Plugin = {
  name: 'own-transports',
  enforce: 'pre',
  load: (id) => (TRANSPORTS.test(id) && id.endsWith('/index.js') ? 'export const transports = {};' : null),
};

export default defineConfig({
  // Relative to the document's base, which the server sets by the requested path.
  base: './',
  plugins: [ownTransports, svelte({ compilerOptions: { cssHash: ({ hash, filename }) => 's' + hash(filename).slice(0, 3) } }), lean(), languages(), press()],
  build: {
    rolldownOptions: { treeshake: { moduleSideEffects: [{ test: SOCKET_IO, sideEffects: false }] } },
    outDir: '../chatroom/static',
    emptyOutDir: true,
    target: SYNTAX,
    cssTarget: OLDEST,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
