import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';
import { languages } from './languages';
import { press } from './press';

// The oldest browsers that are supported; boot.js tells older ones so, docs/page.md lists them. They know all of ES2022 but
// static blocks, of which press.ts finds none; naming them here would rewrite every private field, 1.4 KB of a first load.
const SYNTAX = 'es2022';
const OLDEST = ['chrome93', 'edge93', 'firefox98', 'safari15.4'];

/** Leaves out WebTransport, which the server does not speak. */
const withoutWebTransport: Plugin = {
  name: 'without-webtransport',
  apply: 'build',
  load: {
    filter: { id: /engine\.io-client\/build\/esm\/transports\/webtransport\.js$/ },
    handler: () => 'export class WT {}',
  },
};

export default defineConfig({
  // Relative to the document's base, which the server sets by the path that the document is asked at.
  base: './',
  plugins: [svelte(), withoutWebTransport, languages(), press()],
  build: {
    outDir: '../chatroom/static',
    emptyOutDir: true,
    target: SYNTAX,
    cssTarget: OLDEST,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
