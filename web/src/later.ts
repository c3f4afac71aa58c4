/** Code that reading and writing do not need: one chunk, fetched after the first load. */

import './controls.css';
import './forced.css';
import './print.css';

export { copied } from './lib/transcript';
export { default as Announcer } from './parts/Announcer.svelte';
export { listen } from './lib/elsewhere';
export { watchSleep } from './lib/sleep';
export { watch } from './lib/notify.svelte';
export { default as Assist } from './parts/Assist.svelte';
export { default as Partner } from './parts/Partner.svelte';
export { default as People } from './parts/People.svelte';
export { default as Shut } from './parts/Shut.svelte';
export { default as Sheets } from './parts/Sheets.svelte';
export { default as Waiting } from './parts/Waiting.svelte';
export { fetchLanguages } from './words/choose';
export { advised, holdWord } from './state/advice';
