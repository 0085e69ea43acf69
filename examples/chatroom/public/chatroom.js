// @ts-check
const line = /** @type {HTMLInputElement | null} */ (document.querySelector('#say [name=text]'));
const status = /** @type {HTMLElement} */ (document.querySelector('#line'));

// What is said leaves the line.
addEventListener('htmx:after:request', (event) => {
  if (line && event.target === line.form && /** @type {CustomEvent} */ (event).detail.ctx.response.raw.ok)
    line.value = '';
});

// Who types, until they have said it or stopped.
const you = document.querySelector('.you')?.textContent;
const typing = document.querySelector('#typing');
/** @type {ReturnType<typeof setTimeout> | undefined} */
let pause;
/** @param {string} text */
const show = (text) => typing?.replaceChildren(text);
addEventListener('djr:typing', (event) => {
  const { name } = /** @type {CustomEvent} */ (event).detail;
  if (name === you) return;
  show(`${name} is typing…`);
  clearTimeout(pause);
  pause = setTimeout(show, 2500, '');
});
addEventListener('djr:chat_message', () => show(''));

addEventListener('djr:connected', () => (status.textContent = 'on-line'));
addEventListener('djr:disconnected', () => (status.textContent = 'redialling…'));

// The key is gone: what the page shows now is the closed door.
addEventListener('djr:left', () => location.reload());
// Let in, before a closed door.
addEventListener('djr:whisper', () => line ?? location.reload());
