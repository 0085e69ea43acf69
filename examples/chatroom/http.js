// @ts-check
/** What any server has, and none of it is about djr: files, forms, who it is. */
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';

/**
 * @typedef {{ name: string, room: string }} Place
 * @typedef {Place & { form: Record<string, string> }} Visit
 * @typedef {{ page?: import('./html.js').Html, status?: number, redirect?: string }} Answer
 * @typedef {Record<string, (visit: Visit) => Promise<Answer>>} Routes
 */

/** What people type: one line of so many characters, none cut in half. @param {string | undefined} value @param {number} length */
export const clean = (value, length) =>
  [...(value ?? '').replace(/[\p{Cc}\s]+/gu, ' ').trim()].slice(0, length).join('');

/** Whose address it is; nobody's: ''. @param {string | undefined} url */
export const nameFrom = (url) => clean(new URL(url ?? '/', 'http://chatroom').searchParams.get('as') ?? undefined, 30);

/** In which room the address is; anything else is the lobby. @param {string | undefined} url */
const roomFrom = (url) =>
  new URL(url ?? '/', 'http://chatroom').searchParams.get('room') === 'back' ? 'back' : 'lobby';

/** The address of this path for one guest, in one room. Nobody's has no name in it. @param {Partial<Place>} place @param {string} path */
export const as = ({ name, room }, path) =>
  name ? `${path}?${new URLSearchParams({ as: name, ...(room && room !== 'lobby' && { room }) })}` : path;

/** @param {string} path @param {string} type */
const file = async (path, type) => ({ type, body: await readFile(new URL(path, import.meta.url)) });
/** @type {Record<string, { type: string, body: Buffer }>} */
const files = {
  '/style.css': await file('public/style.css', 'text/css'),
  '/chatroom.js': await file('public/chatroom.js', 'text/javascript'),
  // In an app of your own: node_modules/htmx.org/dist/htmx.min.js.
  '/htmx.js': await file('../../dist/assets/htmx.min.js', 'text/javascript'),
};

const headers = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': "default-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'",
  'Cache-Control': 'no-store',
};

/**
 * @param {Routes} routes
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 */
export async function answer(routes, request, response) {
  const { pathname } = new URL(request.url ?? '/', 'http://chatroom');
  const file = files[pathname];
  const route = routes[`${request.method} ${pathname}`];
  if (file) return void response.writeHead(200, { 'Content-Type': file.type }).end(file.body);
  if (!route) return void response.writeHead(404).end('404: this page has moved.');
  if (request.headers['transfer-encoding'] || Number(request.headers['content-length']) > 10_000) {
    return void response.writeHead(413, { Connection: 'close' }).end('Too long.');
  }

  const form = Object.fromEntries(new URLSearchParams(await text(request)));
  const {
    page,
    status = 200,
    redirect,
  } = await route({ name: nameFrom(request.url), room: roomFrom(request.url), form });
  if (page) return void response.writeHead(status, headers).end(page.markup);
  // htmx needs no answer: it hears what is new through djr, like everyone else. Without JavaScript the page comes again.
  if (request.headers['hx-request']) return void response.writeHead(204).end();
  response.writeHead(303, { Location: redirect }).end();
}
