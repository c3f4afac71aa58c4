/** An app that is installed from this page starts in the room that the user is in. */

import type { Page } from '../page.svelte';

export function followRoom(page: Page): void {
  $effect.root(() => {
    $effect(() => {
      const { name, room } = page.state;
      const manifest = document.querySelector<HTMLLinkElement>('link[rel=manifest]');
      if (manifest && name !== '') manifest.href = `manifest.webmanifest?room=${encodeURIComponent(room)}`;
    });
  });
}
