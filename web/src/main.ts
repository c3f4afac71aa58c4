import { mount } from 'svelte';
import App from './App.svelte';
import './look.css';

// boot.js has already told a browser that is too old.
if (document.documentElement.className !== 'old') {
  const target = document.getElementById('app')!;
  target.replaceChildren();
  mount(App, { target });
}
