/** Which row of the list a person is reading. */

/**
 * The first row of which something is in view, or the one below it if that is a day's line, which moves when older rows
 * come. The rows lie in order, so halving finds it.
 */
export function firstInView(scroller: HTMLElement | undefined, list: HTMLElement | undefined): HTMLElement | null {
  if (!scroller || !list) return null;
  const edge = scroller.getBoundingClientRect().top;
  let low = 0;
  let high = list.children.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list.children[middle]!.getBoundingClientRect().bottom > edge) high = middle;
    else low = middle + 1;
  }
  const row = list.children[low];
  return (row?.hasAttribute('data-key') ? row : row?.nextElementSibling) as HTMLElement | null;
}
