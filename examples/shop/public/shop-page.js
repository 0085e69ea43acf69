// @ts-check
/** All that the page does: when one of my orders changes, fetch the list again; when anybody orders, say what. */
const list = /** @type {HTMLElement} */ (document.querySelector('#orders'));

async function refresh() {
  const response = await fetch('/orders');
  if (response.ok) list.innerHTML = await response.text();
}

addEventListener('djr:order_changed', refresh);
addEventListener('djr:reset', refresh);

const ticker = /** @type {HTMLElement} */ (document.querySelector('#ticker'));

addEventListener('djr:order_placed', (event) => {
  ticker.textContent = `Somebody has just ordered: ${event.detail.item}`;
});
