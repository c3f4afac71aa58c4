/**
 * Removes code from Socket.IO's client that the page never uses, and that no build of it leaves out: binary data, which this
 * chat never sends, and code for browsers without `URL` and `fetch`.
 */

import { dirname } from 'node:path';
import type { Plugin } from 'vite';

/** By importing package and module: the code that replaces the module. `FROM` is the folder of the importer. */
const LEFT_OUT: readonly { from: RegExp; module: string; code: string }[] = [
  {
    from: /\/socket\.io-parser\/build\/esm\/index\.js$/,
    module: './binary.js',
    code: 'export function deconstructPacket() {} export function reconstructPacket() {}',
  },
  { from: /\/socket\.io-parser\/build\/esm\/index\.js$/, module: './is-binary.js', code: 'export function isBinary() {} export function hasBinary() {}' },
  {
    from: /\/engine\.io-parser\/build\/esm\/index\.js$/,
    module: './encodePacket.js',
    code: `import { PACKET_TYPES } from 'FROM/commons.js';
      export const encodePacket = ({ type, data }, _binary, give) => give(PACKET_TYPES[type] + (data || ''));
      export function encodePacketToBinary() {}`,
  },
  {
    from: /\/engine\.io-parser\/build\/esm\/index\.js$/,
    module: './decodePacket.js',
    code: `import { ERROR_PACKET, PACKET_TYPES_REVERSE } from 'FROM/commons.js';
      export function decodePacket(packet) {
        const type = PACKET_TYPES_REVERSE[packet[0]];
        return type ? { type, data: packet.slice(1) || undefined } : ERROR_PACKET;
      }`,
  },
  {
    from: /\/engine\.io-client\/build\/esm\/socket\.js$/,
    module: './contrib/parseuri.js',
    code: `export function parse(uri) {
        const { protocol, hostname, port } = new URL(uri);
        return { protocol: protocol.slice(0, -1), host: hostname.replace(/[[\\]]/g, ''), port };
      }`,
  },
  {
    from: /\/engine\.io-client\/build\/esm\/(?:socket|transport)\.js$/,
    module: './contrib/parseqs.js',
    code: 'export const encode = (query) => String(new URLSearchParams(query)); export function decode() {}',
  },
  // lib/polling.ts asks for itself.
  { from: /\/engine\.io-client\/build\/esm\/index\.js$/, module: './transports/polling-fetch.js', code: `export { Polling as Fetch } from 'FROM/transports/polling.js';` },
];
const PREFIX = '\0lean:';

export function lean(): Plugin {
  const met = new Map<number, string>();
  return {
    name: 'lean',
    apply: 'build',
    enforce: 'pre',
    resolveId(module, importer) {
      const found = LEFT_OUT.findIndex((one) => one.module === module && one.from.test(importer ?? ''));
      if (found < 0) return null;
      met.set(found, dirname(importer!));
      return PREFIX + found;
    },
    load(id) {
      if (!id.startsWith(PREFIX)) return null;
      const found = Number(id.slice(PREFIX.length));
      return LEFT_OUT[found]!.code.replace('FROM', met.get(found)!);
    },
    buildEnd(problem) {
      if (!problem && met.size < LEFT_OUT.length) throw new Error('Socket.IO has other modules now: update lean.ts');
    },
  };
}
