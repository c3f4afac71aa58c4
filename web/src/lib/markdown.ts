/**
 * Markdown-lite: bold, italic, code, code blocks, quotes, links and line breaks, as a tree of nodes.
 *
 * Written for chat, not for documents: nothing becomes a heading or a list, single line breaks count, marks work beside
 * Chinese punctuation, an address ends where Chinese text begins. The result holds text only; no HTML is ever made of it.
 * Linear in the length of the text but for marks that are never closed, and those are looked for within one line.
 */

export type Inline =
  | { kind: 'text'; text: string }
  | { kind: 'bold'; children: Inline[] }
  | { kind: 'italic'; children: Inline[] }
  | { kind: 'code'; text: string }
  | { kind: 'link'; href: string; children: Inline[] }
  | { kind: 'break' };

export type Block =
  | { kind: 'paragraph'; children: Inline[] }
  | { kind: 'quote'; children: Block[] }
  | { kind: 'codeblock'; text: string };

const FENCE = /^ {0,3}```[^`\n]*$/;
const QUOTE = /^ {0,3}> ?/;
const DEEPEST = 4;

/** An address runs over what may stand in one; Chinese letters and punctuation end it. */
const ADDRESS = /https?:\/\/[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]+/y;
const LABELLED = /\[([^\][\n]{1,500})\]\((https?:\/\/[^\s()<>]{1,1000}(?:\([^\s()<>]{0,500}\)[^\s()<>]{0,500})?)\)/y;
const WORD = /[\p{L}\p{N}]/u;
const LATIN = /[A-Za-z0-9]/;

export function parse(text: string, depth = 0): Block[] {
  const blocks: Block[] = [];
  const lines = text.split(/\r\n|\n|\r/);
  let paragraph: string[] = [];
  const close = (): void => {
    while (paragraph.length > 0 && paragraph[paragraph.length - 1]!.trim() === '') paragraph.pop();
    if (paragraph.length > 0) blocks.push({ kind: 'paragraph', children: inline(paragraph.join('\n')) });
    paragraph = [];
  };
  let index = 0;
  while (index < lines.length) {
    const line = lines[index]!;
    if (FENCE.test(line)) {
      const end = lines.findIndex((other, at) => at > index && /^ {0,3}```\s*$/.test(other));
      if (end > 0) {
        close();
        blocks.push({ kind: 'codeblock', text: lines.slice(index + 1, end).join('\n') });
        index = end + 1;
        continue;
      }
    }
    // A quote has a space or text behind its mark: ">_<" and ">:(" are faces.
    if (depth < DEEPEST && QUOTE.test(line) && /^ {0,3}>(?: |>|\p{L}|\p{N}|$)/u.test(line)) {
      close();
      const quoted: string[] = [];
      while (index < lines.length && QUOTE.test(lines[index]!)) quoted.push(lines[index++]!.replace(QUOTE, ''));
      const children = parse(quoted.join('\n'), depth + 1);
      if (children.length > 0) blocks.push({ kind: 'quote', children });
      continue;
    }
    if (paragraph.length > 0 || line.trim() !== '') paragraph.push(line);
    index += 1;
  }
  close();
  return blocks;
}

/** The marks within a paragraph. */
export function inline(text: string, depth = 0): Inline[] {
  const nodes: Inline[] = [];
  let plain = '';
  const flush = (): void => {
    if (plain !== '') nodes.push({ kind: 'text', text: plain });
    plain = '';
  };
  const add = (node: Inline): void => {
    flush();
    nodes.push(node);
  };
  let at = 0;
  while (at < text.length) {
    const char = text[at]!;
    if (char === '\n') {
      add({ kind: 'break' });
      at += 1;
    } else if (char === '\\' && /[*_`[\]\\>]/.test(text[at + 1] ?? '')) {
      plain += text[at + 1];
      at += 2;
    } else if (char === '`') {
      const ticks = /^`+/.exec(text.slice(at, at + 20))![0];
      const end = closing(text, ticks, at + ticks.length);
      if (end < 0) {
        plain += ticks;
        at += ticks.length;
      } else {
        add({ kind: 'code', text: text.slice(at + ticks.length, end).replace(/^ (.*\S.*) $/, '$1') });
        at = end + ticks.length;
      }
    } else if ((char === '*' || char === '_') && depth < DEEPEST) {
      const found = emphasis(text, at, char);
      if (found === null) {
        plain += char;
        at += 1;
      } else {
        add({ kind: found.bold ? 'bold' : 'italic', children: inline(found.inside, depth + 1) });
        at = found.end;
      }
    } else if (char === '[') {
      LABELLED.lastIndex = at;
      const found = LABELLED.exec(text);
      const href = found && safe(found[2]!);
      if (!found || !href) {
        plain += char;
        at += 1;
      } else {
        add({ kind: 'link', href, children: [{ kind: 'text', text: found[1]! }] });
        at = LABELLED.lastIndex;
      }
    } else if (char === 'h' && !LATIN.test(text[at - 1] ?? ' ')) {
      ADDRESS.lastIndex = at;
      const found = ADDRESS.exec(text);
      const address = found && trimmed(found[0]);
      const href = address && safe(address);
      if (!address || !href) {
        plain += char;
        at += 1;
      } else {
        add({ kind: 'link', href, children: [{ kind: 'text', text: address }] });
        at += address.length;
      }
    } else {
      plain += char;
      at += 1;
    }
  }
  flush();
  return nodes;
}

/** Where a run of exactly these ticks stands next, within the paragraph; -1 if nowhere. */
function closing(text: string, ticks: string, from: number): number {
  for (let at = text.indexOf(ticks, from); at >= 0; at = text.indexOf(ticks, at)) {
    let end = at + ticks.length;
    if (text[end] !== '`') return at > from ? at : -1;
    while (text[end] === '`') end += 1;
    at = end;
  }
  return -1;
}

/** `**bold**`, `*italic*`, `_italic_`: the marks hug what they mark; an underscore inside a word is only that. */
function emphasis(text: string, at: number, mark: string): { bold: boolean; inside: string; end: number } | null {
  const bold = text[at + 1] === mark;
  const opening = bold ? mark + mark : mark;
  const start = at + opening.length;
  const first = text[start];
  if (first === undefined || first === mark || /\s/.test(first)) return null;
  if (mark === '_' && WORD.test(text[at - 1] ?? ' ')) return null;
  const line = text.indexOf('\n', start);
  const limit = line < 0 ? text.length : line;
  for (let end = text.indexOf(opening, start + 1); end >= 0 && end < limit; end = text.indexOf(opening, end + 1)) {
    const after = end + opening.length;
    if (/\s/.test(text[end - 1]!)) continue;
    // A single mark does not close at one half of a double one.
    if (!bold && (text[after] === mark || text[end - 1] === mark)) continue;
    if (mark === '_' && WORD.test(text[after] ?? ' ')) continue;
    return { bold, inside: text.slice(start, end), end: after };
  }
  return null;
}

/** An address without the punctuation of the sentence that it stands in; brackets that it opened itself are its own. */
function trimmed(address: string): string {
  const open = { ')': excess(address, '(', ')'), ']': excess(address, '[', ']') };
  let end = address.length;
  for (; end > 0; end--) {
    const last = address[end - 1]!;
    if (/[.,;:!?'*_~]/.test(last)) continue;
    if ((last === ')' || last === ']') && open[last] > 0) {
      open[last] -= 1;
      continue;
    }
    break;
  }
  return address.slice(0, end);
}

/** How many more brackets are closed than opened. */
function excess(text: string, opening: string, closing: string): number {
  let found = 0;
  for (const char of text) found += char === closing ? 1 : char === opening ? -1 : 0;
  return found;
}

/** Only addresses of the web are links, and only whole ones. */
function safe(address: string): string | null {
  try {
    const url = new URL(address);
    return (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== '' ? url.href : null;
  } catch {
    return null;
  }
}
