/* Runs before everything else, in any browser, so it is written in the JavaScript of 1999.
   It fixes the document's base, shows a sentence in a browser that is too old, sets the chosen theme before
   the first paint, and makes the browser fetch the language along with the page. */
(function () {
  var root = document.documentElement;
  // The base is relative to the room's address, and that changes with the room.
  if (document.baseURI) document.getElementsByTagName('base')[0].setAttribute('href', document.baseURI);
  function enough() {
    try {
      return (
        'noModule' in document.createElement('script') &&
        typeof Object.hasOwn === 'function' &&
        typeof [].at === 'function' &&
        typeof ResizeObserver === 'function' &&
        typeof HTMLDialogElement === 'function' &&
        /* Only WebKit has the first; it has had the second since Safari 16. */
        (typeof GestureEvent === 'undefined' || 'showPicker' in HTMLInputElement.prototype)
      );
    } catch (problem) {
      return false;
    }
  }
  function kept(key) {
    try {
      return localStorage.getItem('chatroom:' + new URL('.', document.baseURI).pathname + ':' + key);
    } catch (forbidden) {
      /* Storage is forbidden, or the browser is old: follow the system. */
      return null;
    }
  }
  var theme = kept('theme');
  if (theme !== 'light' && theme !== 'dark') {
    theme = window.matchMedia && matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  }
  root.setAttribute('data-theme', theme);
  if (!enough()) {
    var zh = /^zh/i.test(navigator.language || navigator.userLanguage || '');
    root.className = 'old';
    root.lang = zh ? 'zh-CN' : 'en';
    var tell = function () {
      var main = document.createElement('main');
      var line = document.createElement('h1');
      line.id = 'old';
      line.appendChild(
        document.createTextNode(
          zh
            ? '浏览器版本太旧，打不开聊天室。请换用较新的 Chrome、Edge、Firefox 或 Safari。'
            : 'This browser is too old for the chat. Please use a newer Chrome, Edge, Firefox or Safari.'
        )
      );
      line.style.cssText =
        'font:18px/1.6 sans-serif;max-width:32em;margin:20vh auto;padding:0 16px;text-align:center';
      main.appendChild(line);
      var app = document.getElementById('app');
      while (app.firstChild) app.removeChild(app.firstChild);
      app.appendChild(main);
    };
    if (document.addEventListener) document.addEventListener('DOMContentLoaded', tell, false);
    else window.attachEvent('onload', tell);
    return;
  }
  // The page requests its language only once it runs; fetch it now. The choice is the same as in words.svelte.ts.
  var spoken = [kept('lang')].concat(navigator.languages || []).join() + ',en';
  var lang = /(?:^|,)(en|zh)(?=[-,]|$)/i.exec(spoken)[1].toLowerCase();
  var file = document.currentScript.getAttribute('data-' + lang);
  if (file) {
    var link = document.createElement('link');
    link.rel = 'modulepreload';
    link.href = file;
    document.head.appendChild(link);
  }
})();
