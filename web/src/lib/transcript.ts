/** What is copied when a selection spans several messages: one line for each, `[17:44] fox: text`; a whisper says that it is one. */

import type { Row } from '../state/view';
import { language } from '../words/words.svelte';

/**
 * The selected messages as text.
 *
 * Args:
 *   list: the element whose children are the rows, each with its row's `data-key`.
 *
 * Returns null if the selection lies within one message: that is copied as it is selected.
 */
export function copied(selection: Selection | null, list: Element, rows: readonly Row[]): string | null {
  if (!selection || selection.isCollapsed) return null;
  const keys = new Set<string>();
  for (const row of list.children) {
    const key = (row as HTMLElement).dataset['key'];
    const text = row.querySelector('.text');
    if (key !== undefined && text && selection.containsNode(text, true)) keys.add(key);
  }
  return keys.size > 1 ? transcript(rows.filter((row) => keys.has(row.key))) : null;
}

/** One line for each message; further lines of a message are indented, so that none passes for another message. */
export function transcript(rows: readonly Row[]): string {
  const lines: string[] = [];
  for (const row of rows) {
    if (row.kind !== 'item' || (row.item.kind !== 'said' && row.item.kind !== 'whisper')) continue;
    const { name, text, time } = row.item;
    const privately = row.item.kind === 'whisper' ? language.rest.whisperCopied(row.item.to) : '';
    lines.push(`[${language.clock(time)}] ${name}${privately}: ${text.replace(/\r\n|[\n\r\u2028\u2029]/g, '\n    ')}`);
  }
  return lines.join('\n');
}
