// @ts-check
/** The shop's pages. */
import { html, trusted } from '../chatroom/html.js';

/** @param {import('../chatroom/html.js').Html} head @param {import('../chatroom/html.js').Html} body */
const layout = (head, body) =>
  html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Orders</title>
<link rel="stylesheet" href="/shop.css">
${head}
<main>${body}</main>
</html>`.markup;

export const loginPage = () =>
  layout(
    html``,
    html`<h1>Orders</h1>
<form method="post" action="/login" class="row">
  <label>Your name <input name="name" required maxlength="30" autocomplete="off" autofocus></label>
  <button>Come in</button>
</form>`,
  );

/**
 * @param {string} customer
 * @param {import('./shop.js').Order[]} orders
 * @param {string} scriptTag - from `realtime.scriptTag()`
 */
export const ordersPage = (customer, orders, scriptTag) =>
  layout(
    html`${trusted(scriptTag)}<script src="/shop-page.js" defer></script>`,
    html`<header><h1>${customer}'s orders</h1>
  <form method="post" action="/logout"><button class="quiet">Leave</button></form></header>
<form method="post" action="/orders" class="row">
  <label>What shall it be? <input name="item" required maxlength="80" autocomplete="off" autofocus></label>
  <button>Order</button>
</form>
<div id="orders" aria-live="polite">${trusted(ordersPart(orders))}</div>
<p id="ticker" aria-live="polite"></p>
<p class="hint">Open this page in a second window, or change a row from psql: both change at once.</p>`,
  );

const NEXT = /** @type {Record<string, string>} */ ({ new: 'Pay', paid: 'Ship' });

/** @param {import('./shop.js').Order[]} orders */
export const ordersPart = (orders) =>
  orders.length === 0
    ? html`<p class="hint">Nothing ordered yet.</p>`.markup
    : html`<ul>${orders.map(
        ({ id, item, status }) => html`<li><span>${item}</span><em class="${status}">${status}</em>
  <form method="post" action="/orders/${id}/advance"><button class="quiet" ${status === 'shipped' ? 'disabled' : ''}>${NEXT[status] ?? 'Done'}</button></form></li>`,
      )}</ul>`.markup;
