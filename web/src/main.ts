import { mount } from 'svelte';
import App from './App.svelte';
import './look.css';
import { language } from './words/words.svelte';

// In a browser that is too old, boot.js has shown its sentence.
if (document.documentElement.className !== 'old') {
  void language.load().then(() => {
    const target = document.getElementById('app')!;
    target.replaceChildren();
    mount(App, { target });
  });
}
