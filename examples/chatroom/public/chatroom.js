// @ts-check
const line = /** @type {HTMLInputElement} */ (document.querySelector('#say [name=text]'));
const status = /** @type {HTMLElement} */ (document.querySelector('#line'));

// What is said leaves the line.
addEventListener('htmx:after:request', (event) => {
  if (event.target === line.form && /** @type {CustomEvent} */ (event).detail.ctx.response.raw.ok) line.value = '';
});

addEventListener('djr:connected', () => (status.textContent = 'on-line'));
addEventListener('djr:disconnected', () => (status.textContent = 'redialling…'));
