import * as svelte from 'svelte';
import App from './App.svelte';

/** Svelte 4's components are classes. @returns what takes it away again */
function show(props) {
  if (svelte.mount) {
    const app = svelte.mount(App, { target: document.body, props });
    return () => svelte.unmount(app);
  }
  const app = new App({ target: document.body, props });
  return () => app.$destroy();
}

window.log = [];
let remove;
window.mount = (props) => {
  remove?.();
  remove = show(props);
};
window.unmount = () => {
  remove();
  remove = undefined;
};
