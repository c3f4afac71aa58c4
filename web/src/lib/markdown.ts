/**
 * Markdown-lite: bold, italic, code, code blocks, quotes, links and line breaks, as a tree of nodes.
 *
 * Written for chat, not for documents: nothing becomes a heading or a list, single line breaks count, marks work beside
 * Chinese punctuation. What marks nothing stays as it was typed, and no text comes out empty. The result holds text only;
 * no HTML is ever made of it. Its cost is linear in the length of the text, whatever the text is.
 */

import { isBlank } from './blank';
import { charAt } from './characters';
import { DEEPEST, Emphasis, runAt, type Passed } from './emphasis';
import { addressAt, labelledAt } from './links';

export type Inline =
  | { kind: 'text'; text: string }
  | { kind: 'bold'; children: Inline[] }
  | { kind: 'italic'; children: Inline[] }
  | { kind: 'code'; text: string }
  | {
      kind: 'link';
      href: string;
      children: Inline[];
      /** where it leads, if the reader must see it */
      host: string;
    }
  | { kind: 'break' };

export type Block =
  | { kind: 'paragraph'; children: Inline[] }
  | { kind: 'quote'; children: Block[] }
  | { kind: 'codeblock'; text: string };

/** The most empty lines in a row; the server folds them alike (`chatroom/core/text.py`), but older texts may have more. */
const EMPTY_LINES = 2;
const FENCE = /^ {0,3}(`{3,})([^`]*)$/;
const FENCE_END = /^([^`]*)(`{3,})\s*$/;
/** Fences of more ticks than this are alike. */
const LONGEST_FENCE = 9;
const QUOTE = /^ {0,3}> ?/;
/** A quote has a space or text after its mark: ">_<", ">:(" and ">w<" are faces. */
const QUOTED = /^ {0,3}>(?:[ >「『“《【"*`@#]|\p{L}|\p{N}|$)/u;
const FACE = /^ {0,3}>(?: |[^\s<>]{1,2})</;
const ESCAPED = /[*_`[\]\\>]/;
const LETTER = /[\p{L}\p{N}\p{Extended_Pictographic}]/u;
const NAME = /[A-Za-z0-9_]/;

export function parse(text: string): Block[] {
  const lines = text.replace(/\r\n|[\r\u2028\u2029]/g, '\n').split('\n');
  let empty = 0;
  return blocks(
    lines.filter((line) => {
      empty = isBlank(line) ? empty + 1 : 0;
      return empty <= EMPTY_LINES;
    }),
    0,
  );
}

function blocks(lines: readonly string[], depth: number): Block[] {
  const found: Block[] = [];
  const fenceAt = fencesOf(lines);
  let paragraph: string[] = [];
  const close = (): void => {
    while (paragraph.length > 0 && isBlank(paragraph[paragraph.length - 1]!)) paragraph.pop();
    if (paragraph.length > 0) found.push({ kind: 'paragraph', children: inline(paragraph.join('\n'), true) });
    paragraph = [];
  };
  let index = 0;
  while (index < lines.length) {
    const line = lines[index]!;
    const fence = fenceAt(index);
    if (fence) {
      close();
      found.push({ kind: 'codeblock', text: fence.text });
      index = fence.next;
      continue;
    }
    if (depth < DEEPEST && isQuote(line)) {
      const from = index;
      while (index < lines.length && isQuote(lines[index]!)) index += 1;
      const quoted = lines.slice(from, index);
      // Marks that quote nothing are text.
      if (quoted.every((one) => isBlank(one.replace(/>/g, '')))) {
        for (const one of quoted) paragraph.push(one);
        continue;
      }
      close();
      found.push({ kind: 'quote', children: blocks(quoted.map((one) => one.replace(QUOTE, '')), depth + 1) });
      continue;
    }
    if (paragraph.length > 0 || !isBlank(line)) paragraph.push(line);
    index += 1;
  }
  close();
  return found;
}

function isQuote(line: string): boolean {
  return QUOTED.test(line) && !FACE.test(line);
}

/**
 * Finds code between lines of three ticks and more: the block that begins with a line, if one does. The last line may hold
 * code before its ticks, as it does in other chats.
 */
function fencesOf(lines: readonly string[]): (index: number) => { text: string; next: number } | null {
  /** Fences of so many ticks, or more, have no end below. */
  let endless = LONGEST_FENCE + 1;
  return (index) => {
    const opening = FENCE.exec(lines[index]!);
    if (!opening) return null;
    const ticks = Math.min(opening[1]!.length, LONGEST_FENCE);
    for (let at = index + 1; ticks < endless && at < lines.length; at += 1) {
      const end = FENCE_END.exec(lines[at]!);
      if (!end || Math.min(end[2]!.length, LONGEST_FENCE) < ticks) continue;
      // One word beside the ticks says the language; more is code.
      const first = /\s/.test(opening[2]!.trim()) ? [opening[2]!] : [];
      const last = end[1]!.trim() === '' ? [] : [end[1]!];
      const text = [...first, ...lines.slice(index + 1, at), ...last].join('\n');
      return isBlank(text) ? null : { text, next: at + 1 };
    }
    endless = Math.min(endless, ticks);
    return null;
  };
}

/** The marks within a paragraph; none of its links in a link's label. */
function inline(text: string, links: boolean): Inline[] {
  const nodes: Inline[] = [];
  const emphasis = new Emphasis(nodes);
  const codeAt = codesOf(text);
  const passed: Passed = { seen: 0, letters: 0, foreign: 0 };
  /** Where the text begins that is no node yet. */
  let from = 0;
  let at = 0;
  const flush = (): void => {
    if (at > from) nodes.push({ kind: 'text', text: text.slice(from, at) });
  };
  const count = (): void => {
    passed.seen += 1;
    passed.letters += 1;
    passed.foreign += 1;
  };
  const add = (node: Inline, end: number): void => {
    flush();
    nodes.push(node);
    from = at = end;
    count();
  };
  while (at < text.length) {
    const char = text[at]!;
    if (char === '\n') {
      flush();
      emphasis.end();
      nodes.push({ kind: 'break' });
      from = at += 1;
      continue;
    }
    if (char === '\\' && isEscape(text, at)) {
      flush();
      from = at + 1;
      at += 2;
      count();
      continue;
    }
    if (char === '`') {
      const code = codeAt(at);
      if (code.text === '') at = code.end;
      else add({ kind: 'code', text: code.text }, code.end);
      passed.seen += 1;
      continue;
    }
    if (char === '*' || char === '_') {
      const run = runAt(text, at);
      flush();
      emphasis.take(run, passed);
      from = at += run.size;
      if (char === '*') passed.foreign += 1;
      continue;
    }
    if (char === '[' && links) {
      const found = labelledAt(text, at);
      if (found) {
        add({ kind: 'link', ...found.link, children: inline(found.label, false) }, found.end);
        continue;
      }
    }
    if (links && /[hw]/i.test(char)) {
      const found = addressAt(text, at);
      if (found?.link) {
        add({ kind: 'link', ...found.link, children: [{ kind: 'text', text: text.slice(at, found.end) }] }, found.end);
        continue;
      }
      if (found) {
        at = found.end;
        count();
        continue;
      }
    }
    const whole = charAt(text, at);
    if (!isBlank(whole)) passed.seen += 1;
    if (LETTER.test(whole)) passed.letters += 1;
    if (!NAME.test(whole)) passed.foreign += 1;
    at += whole.length;
  }
  flush();
  return joined(nodes);
}

/** A backslash before a mark that could be one; `_(` is none, so that ¯\_(ツ)_/¯ keeps its arm. */
function isEscape(text: string, at: number): boolean {
  const next = text[at + 1] ?? '';
  if (next === '>') return at === 0 || text[at - 1] === '\n';
  if (next === '\\') return /[*_`[\]]/.test(text[at + 2] ?? '');
  return ESCAPED.test(next) && !(next === '_' && /[(（]/.test(text[at + 2] ?? ''));
}

/**
 * Finds code within a line or over several, between two runs of as many ticks: the one that begins with the ticks at a place;
 * without text and after these ticks, if none does. Places are asked for from first to last.
 */
function codesOf(text: string): (at: number) => { text: string; end: number } {
  /** Where the runs of each length begin that are not behind us yet, the next one last. */
  const runs = new Map<number, number[]>();
  for (let at = text.lastIndexOf('`') + 1; at > 0; at -= 1) {
    let ticks = 0;
    for (; text[at - 1] === '`'; at -= 1) ticks += 1;
    if (ticks > 0) runs.set(ticks, runs.get(ticks) ?? []).get(ticks)!.push(at);
  }
  return (at) => {
    let start = at;
    while (text[start] === '`') start += 1;
    const ticks = start - at;
    const places = runs.get(ticks) ?? [];
    while (places.length > 0 && places[places.length - 1]! < start) places.pop();
    const close = places[places.length - 1];
    const code = text.slice(start, close ?? start);
    if (close === undefined || isBlank(code)) return { text: '', end: start };
    return { text: code.startsWith(' ') && code.endsWith(' ') ? code.slice(1, -1) : code, end: close + ticks };
  };
}

/** Texts that stand side by side as one, so that a name in them is found whole. */
function joined(nodes: readonly Inline[]): Inline[] {
  const whole: Inline[] = [];
  for (const node of nodes) {
    const last = whole[whole.length - 1];
    if (node.kind === 'text' && last?.kind === 'text') whole[whole.length - 1] = { kind: 'text', text: last.text + node.text };
    else whole.push(node.kind === 'bold' || node.kind === 'italic' ? { ...node, children: joined(node.children) } : node);
  }
  return whole;
}
