/** Code that reading and writing do not need: one chunk, fetched after the first load. */

import './controls.css';
import './forced.css';
import './print.css';
import { listen } from './lib/elsewhere';
import type { Take } from './lib/incoming';
import { followRoom } from './lib/manifest.svelte';
import { watch } from './lib/notify.svelte';
import { watchSleep } from './lib/sleep';
import type { Page } from './page.svelte';
import { askEarly } from './state/advice';
import { fetchLanguages } from './words/choose';

export { copied } from './lib/transcript';
export { default as Announcer } from './parts/Announcer.svelte';
export { default as Assist } from './parts/Assist.svelte';
export { default as Partner } from './parts/Partner.svelte';
export { default as People } from './parts/People.svelte';
export { default as Shut } from './parts/Shut.svelte';
export { default as Sheets } from './parts/Sheets.svelte';
export { default as Waiting } from './parts/Waiting.svelte';
export { advised, holdWord } from './state/advice';

/** Begin what goes on beside reading and writing. */
export function start(page: Page, take: Take): void {
  askEarly(page);
  watch(page);
  followRoom(page);
  fetchLanguages();
  watchSleep(() => page.check());
  listen(take, () => page.dispatch({ type: 'to_end' }));
}
