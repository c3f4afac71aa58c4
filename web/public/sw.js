/*
 * The service worker: it lets the page show notifications (phones allow no other way), and brings the right page to the
 * front when one is clicked.
 *
 * It has no fetch handler and stores nothing. The server deletes messages after some days, and a copy in a browser's cache
 * would outlive them. And without its server, a chat has nothing to show.
 */

/** How long a page may take to answer. */
const ANSWER_MS = 300;

self.addEventListener('install', () => self.skipWaiting());

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(bring(event.notification.data));
});

/** How well a page fits: 2 the notification is its own, 1 it is in that room, 0 neither; null: no answer, it may be asleep. */
function ask(page, wanted) {
  return new Promise((done) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = (answer) => done(answer.data);
    setTimeout(() => done(null), ANSWER_MS);
    page.postMessage({ clicked: wanted }, [channel.port2]);
  });
}

/** Focus the page that fits best, or open one. It asks each page, because `url` is where a page began, not where it is now. */
async function bring(wanted) {
  const all = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const pages = all.filter((page) => page.url.startsWith(self.registration.scope));
  const fits = await Promise.all(pages.map((page) => ask(page, wanted)));
  const best = Math.max(0, ...fits);
  const found = best > 0 ? fits.indexOf(best) : fits.findIndex((fit, index) => fit === null && pages[index].url === wanted.url);
  await (found < 0 ? self.clients.openWindow(wanted.url) : pages[found].focus());
}
