/**
 * Keys, pasted text and drags for the whole page: text goes into the composer, page keys in the composer go to the list, and
 * what is dragged on the page itself drops only in a field.
 */

import { isField, type Take } from './incoming';

function isTaken(event: Event): boolean {
  return event.defaultPrevented || isField(event.target) || document.querySelector('dialog[open]') !== null;
}

/** Whether a key writes a character that nothing else on the page needs. */
function writes(event: KeyboardEvent): boolean {
  // Space scrolls the list or presses a button; an input method's keys are its own.
  if ([...event.key].length !== 1 || event.key === ' ' || event.isComposing || event.keyCode === 229) return false;
  return !event.metaKey && ((!event.ctrlKey && !event.altKey) || event.getModifierState('AltGraph'));
}

/** Scroll the list by its height less a line. Returns whether there is a list. */
function turn(by: -1 | 1): boolean {
  const list = document.querySelector('.scroller');
  list?.scrollBy({ top: by * (list.clientHeight - parseFloat(getComputedStyle(list).lineHeight)) });
  return list !== null;
}

export function listen(take: Take): void {
  addEventListener('keydown', (event) => {
    if (writes(event) && !isTaken(event)) take('');
    const by = event.key === 'PageUp' ? -1 : event.key === 'PageDown' ? 1 : null;
    if (by === null || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target instanceof HTMLTextAreaElement && turn(by)) event.preventDefault();
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
