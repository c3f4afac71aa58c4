/**
 * Keys, the wheel, pasted text and drags, anywhere on the page. Text goes into the composer. Page keys in the composer, End in an
 * empty one, and all scroll keys in the list, scroll the list; so does the wheel where nothing else scrolls. What is dragged from the
 * page can be dropped only into a field.
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

/** Whether something from here up has its own way to scroll. */
function scrolls(part: Element | null): boolean {
  for (; part; part = part.parentElement) {
    if (part.localName === 'dialog') return true;
    if (part.scrollHeight > part.clientHeight && /auto|scroll/.test(getComputedStyle(part).overflowY)) return true;
  }
  return false;
}

/** Whether a key goes to the newest message: the browser would stop where the end was before rows got their real heights. */
function goesToEnd({ key, shiftKey, altKey, metaKey, target }: KeyboardEvent): boolean {
  return key === 'End' && !shiftKey && !altKey && !metaKey && !(target instanceof HTMLTextAreaElement && target.value);
}

export function listen(take: Take, toEnd: () => void): void {
  addEventListener('keydown', (event) => {
    if (writes(event) && !isTaken(event)) take('');
    const list = document.querySelector('.scroller');
    if (event.defaultPrevented || !list || !(event.target instanceof HTMLTextAreaElement || list.contains(event.target as Node))) return;
    if (goesToEnd(event)) {
      event.preventDefault();
      toEnd();
    }
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const step = stepOf(event, list);
    if (step === 0) return;
    list.scrollBy({ top: step, behavior: 'instant' });
    event.preventDefault();
  });

  addEventListener(
    'wheel',
    (event) => {
      if (event.defaultPrevented || event.ctrlKey || scrolls(event.target as Element)) return;
      document.querySelector('.scroller')?.scrollBy({ top: event.deltaY, behavior: 'instant' });
    },
    { passive: true },
  );

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
