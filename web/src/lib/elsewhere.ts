/**
 * Keys, pasted text and drags, anywhere on the page. Text goes into the composer. Page keys in the composer, and all scroll keys in
 * the list, scroll the list. What is dragged from the page can be dropped only into a field.
 */

import { isField, type Take } from './incoming';

/** As far as browsers scroll. */
const ARROW_PX = 40;

function isTaken(event: Event): boolean {
  return event.defaultPrevented || isField(event.target) || document.querySelector('dialog[open]') !== null;
}

/** Whether a key writes a character that nothing else on the page needs. */
function writes(event: KeyboardEvent): boolean {
  // Space scrolls the list or presses a button, and an input method needs its own keys.
  if ([...event.key].length !== 1 || event.key === ' ' || event.isComposing || event.keyCode === 229) return false;
  return !event.metaKey && ((!event.ctrlKey && !event.altKey) || event.getModifierState('AltGraph'));
}

/**
 * How far a key scrolls the list, in pixels; 0 for a key that does not. The list's own keys are handled here too: the
 * browser's smooth scroll ends early when a message arrives meanwhile (tried in Chromium 156).
 */
function stepOf(event: KeyboardEvent, list: Element): number {
  const height = list.clientHeight - parseFloat(getComputedStyle(list).lineHeight);
  if (event.key === ' ' && event.target === list) return event.shiftKey ? -height : height;
  if (event.shiftKey) return 0;
  if (event.key === 'PageUp') return -height;
  if (event.key === 'PageDown') return height;
  if (event.target instanceof HTMLTextAreaElement) return 0;
  return { ArrowUp: -ARROW_PX, ArrowDown: ARROW_PX, Home: -list.scrollHeight }[event.key] ?? 0;
}

export function listen(take: Take): void {
  addEventListener('keydown', (event) => {
    if (writes(event) && !isTaken(event)) take('');
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
    const list = document.querySelector('.scroller');
    if (!list || !(event.target instanceof HTMLTextAreaElement || list.contains(event.target as Node))) return;
    const step = stepOf(event, list);
    if (step === 0) return;
    list.scrollBy({ top: step, behavior: 'instant' });
    event.preventDefault();
  });

  addEventListener('paste', (event) => {
    const text = event.clipboardData?.getData('text/plain');
    if (!text || isTaken(event)) return;
    event.preventDefault();
    take(text);
  });

  let own = false;
  addEventListener('dragstart', () => (own = true));
  addEventListener('dragend', () => (own = false));
  addEventListener('dragover', (event) => {
    if (own && event.dataTransfer && !isField(event.target)) event.dataTransfer.dropEffect = 'none';
  });
}
