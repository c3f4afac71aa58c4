/**
 * Keys, pastes and drops for the whole page: text goes into the composer, page keys in the composer go to the list, and
 * files are refused.
 */

export interface Composer {
  focus(): void;
  /** insert text at the caret */
  put(text: string): void;
  /** say that only text can be sent */
  refuse(): void;
}

const FIELDS = 'input, textarea, select, [contenteditable]';

function isField(place: EventTarget | null): boolean {
  return place instanceof Element && place.closest(FIELDS) !== null;
}

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

export function listen(composer: Composer): void {
  /** the drag began on this page */
  let own = false;

  addEventListener('keydown', (event) => {
    if (writes(event) && !isTaken(event)) composer.focus();
    const by = event.key === 'PageUp' ? -1 : event.key === 'PageDown' ? 1 : null;
    if (by === null || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target instanceof HTMLTextAreaElement && turn(by)) event.preventDefault();
  });

  addEventListener('paste', (event) => {
    const data = event.clipboardData;
    const text = data?.getData('text/plain');
    if (text ? isTaken(event) : !data?.types.includes('Files')) return;
    event.preventDefault();
    if (text) composer.put(text);
    else composer.refuse();
    composer.focus();
  });

  addEventListener('dragstart', () => (own = true));
  addEventListener('dragend', () => (own = false));
  // Browsers leave the page to open a dropped file or link that no one handles.
  for (const type of ['dragover', 'drop'] as const) {
    addEventListener(type, (event) => {
      const data = event.dataTransfer;
      const files = data?.types.includes('Files');
      if (!data || (!files && isField(event.target))) return;
      event.preventDefault();
      if (type === 'dragover') {
        data.dropEffect = own ? 'none' : 'copy';
        return;
      }
      const text = data.getData('text/plain');
      if (files) composer.refuse();
      else if (text) composer.put(text);
      composer.focus();
    });
  }
}
