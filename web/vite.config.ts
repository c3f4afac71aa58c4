import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { languages } from './languages';
import { press } from './press';

// The oldest browsers that are supported; boot.js tells older ones so, docs/page.md lists them.
const OLDEST = ['chrome93', 'edge93', 'firefox98', 'safari15.4'];

export default defineConfig({
  // Relative to the document's base, which the server sets by the path that the document is asked at.
  base: './',
  plugins: [svelte(), languages(), press()],
  build: {
    outDir: '../chatroom/static',
    emptyOutDir: true,
    target: OLDEST,
    cssTarget: OLDEST,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
