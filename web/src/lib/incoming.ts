/**
 * Files and what is dropped, on the whole page. Part of the first load: browsers leave the page to open a dropped file or link
 * that no one handles.
 */

/** Puts a text into the composer, which takes the focus; null is what is no text. */
export type Take = (text: string | null | undefined) => void;

type Incoming = Event & { clipboardData?: DataTransfer | null; dataTransfer?: DataTransfer | null };

export function isField(place: EventTarget | null): boolean {
  return place instanceof Element && place.matches('input, textarea');
}

export function receive(take: Take): void {
  for (const type of ['paste', 'dragover', 'drop']) {
    addEventListener(type, (event: Incoming) => {
      const data = event.clipboardData ?? event.dataTransfer;
      const text = data?.getData('text/plain');
      const pasted = type === 'paste';
      // What an office program copies is text with an image of it.
      const files = data?.types.includes('Files') && !(pasted && text);
      if (!files && (pasted || isField(event.target))) return;
      event.preventDefault();
      if (type !== 'dragover') take(files ? null : text);
    });
  }
}
