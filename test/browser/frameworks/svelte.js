import { mount, unmount } from 'svelte';
import App from './App.svelte';

window.log = [];
let app;
window.mount = (props) => {
  if (app) unmount(app);
  app = mount(App, { target: document.body, props });
};
window.unmount = () => {
  unmount(app);
  app = undefined;
};
