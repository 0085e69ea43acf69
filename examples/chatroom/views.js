// @ts-check
import { html, trusted } from './html.js';
import { as } from './http.js';

/**
 * @typedef {{ name?: unknown, text?: unknown, to?: unknown }} Words
 * @typedef {{ id: number, type: string, detail: Words, created_at: string }} Message
 * @typedef {{ name: string, room: string, topic: string, allowed: boolean, since: string, seal: string | null, here: string[],
 *   visitors: number, messages: Message[] }} Room
 * @typedef {import('./html.js').Html} Html
 */

/** @type {Record<string, string>} */
const rooms = { lobby: 'Lobby', back: 'Back room' };

/** @param {{ head?: Html, body: Html }} parts */
const layout = ({ head, body }) => html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content">
  <meta name="theme-color" content="#000033">
  <title>~*~ The djr chat room ~*~</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="/style.css">
  ${head}
</head>
<body>
  <header>
    <h1><span aria-hidden="true">★</span> The djr chat room <span aria-hidden="true">★</span></h1>
    <p class="marquee"><span>Welcome, surfer! &nbsp; Every word in here is a row in PostgreSQL &nbsp;
      <b aria-hidden="true">~*~</b> &nbsp; no WebSockets, no Redis, no page reloads &nbsp; <b aria-hidden="true">~*~</b>
      &nbsp; whisper to a friend and nobody else will know &nbsp; <b aria-hidden="true">~*~</b></span></p>
  </header>
  ${body}
</body>
</html>
`;

/** @param {string} [problem] */
export const signInPage = (problem) =>
  layout({
    body: html`<main class="window sign-in">
    <h2>Sign the guestbook</h2>
    <p><b class="new">NEW!</b> Now in the information superhighway's fast lane.</p>
    <form method="post" action="/enter">
      <label for="name">Your name</label>
      <input id="name" name="name" required maxlength="30" autocomplete="nickname" autofocus
        ${problem ? html`aria-invalid="true" aria-describedby="problem"` : ''}>
      ${problem && html`<p id="problem" class="problem" role="alert">${problem}</p>`}
      <button>Enter the chat room »</button>
    </form>
    <p class="small">No password, so be who you like. Under construction since 1996.</p>
  </main>`,
  });

/**
 * The room: each part names the DOM event that makes htmx fetch it again.
 *
 * @param {Room} room
 * @param {string} script djr's script tag: it connects, and turns what comes into DOM events
 */
export const roomPage = (room, script) =>
  layout({
    head: html`<script src="/htmx.js" defer></script>
  <script src="/chatroom.js" defer></script>
  ${trusted(script)}`,
    body: html`<main class="room">
    <section class="window chat" aria-labelledby="chat-title">
      <h2 id="chat-title">${rooms[room.room]} <span id="line" role="status">dialling…</span></h2>
      <nav aria-label="Rooms">${Object.entries(rooms).map(
        ([key, title]) =>
          html`<a href="${as({ name: room.name, room: key }, '/')}"${key === room.room && html` aria-current="page"`}>${title}</a>`,
      )}</nav>
      ${room.allowed ? chat(room) : closedDoor(room)}
    </section>
    <aside>
      <section class="window">
        <h2>You are</h2>
        <p class="you">${room.name}</p>
        <form method="post" action="/leave"><button class="link">not you? leave</button></form>
        <p class="small"><a href="/" target="_blank">be somebody else in another window</a></p>
      </section>
      ${
        room.allowed &&
        html`<section class="window">
        <h2>Here now</h2>
        <div hx-get="${as(room, '/here')}" hx-trigger="djr:presence from:window">${herePart(room)}</div>
      </section>`
      }
      ${room.allowed && room.room !== 'lobby' && members(room)}
      ${
        room.room === 'lobby' &&
        html`<section class="window counter">
        <h2>Guests so far</h2>
        <div hx-get="${as(room, '/visitors')}" hx-trigger="djr:guest_entered from:window">${visitorsPart(room)}</div>
      </section>`
      }
      <section class="window wide">
        <h2><b class="new">NEW!</b> Talk SQL to us</h2>
        <pre tabindex="0">select djr.publish_topic(
  'room:lobby',
  'chat_message',
  '{"name": "psql",
    "text": "hi!"}');</pre>
      </section>
      <p class="badges wide" aria-hidden="true"><i>best viewed with<b>any browser</b></i><i>made with<b>PostgreSQL</b></i
      ><i>powered by<b>&lt;htmx&gt;</b></i></p>
    </aside>
  </main>`,
  });

/** @param {Room} room */
const chat = (room) => html`<div class="log" role="log" aria-label="Messages" tabindex="0">
        <div hx-get="${as(room, '/log')}" hx-swap="innerMorph" hx-trigger="djr:chat_message from:window, djr:whisper from:window,
          djr:guest_entered from:window, djr:reset from:window">${logPart(room)}</div>
      </div>
      <p id="typing" role="status"></p>
      <form id="say" method="post" action="${as(room, '/say')}" hx-post="${as(room, '/say')}" hx-swap="none">
        <label class="to">To <input name="to" list="names" maxlength="30" placeholder="everyone" autocomplete="off"></label>
        <label class="text"><span class="hidden">Your message</span>
          <input name="text" required maxlength="500" placeholder="Say something nice" autocomplete="off"
            enterkeyhint="send" autofocus hx-post="${as(room, '/type')}" hx-trigger="input throttle:1s" hx-include="#say" hx-swap="none"></label>
        <button>Send</button>
      </form>`;

/** @param {Room} room */
const closedDoor = (room) => html`<form class="door" method="post" action="${as(room, '/knock')}">
        <p><b>Members only.</b> Nobody without a key hears a word of what is said in here.</p>
        <p>Knock: an empty room is yours. In a room that is not, a member has to let you in.</p>
        <button>Knock</button>
      </form>`;

/** @param {Room} room */
const members = (room) => html`<section class="window">
        <h2>Members only</h2>
        <form class="let-in" method="post" action="${as(room, '/let-in')}">
          <label>Let in <input name="guest" required maxlength="30" placeholder="a name" autocomplete="off"></label>
          <button>Open</button>
        </form>
        <form method="post" action="${as(room, '/give-up')}"><button class="link">give your key back</button></form>
      </section>`;

/** @param {Room} room */
export const herePart = ({ here }) =>
  html`<ul>${here.map((name) => html`<li class="hue-${hue(name)}">${name}</li>`)}</ul>`;

/** @param {Room} room */
export const logPart = ({ name, messages }) => html`
  ${messages.length === 0 && html`<p class="note">Nobody has said a word. Go first!</p>`}
  ${messages.map((message) => line(message, name))}
  <datalist id="names">${speakers(messages, name).map((speaker) => html`<option value="${speaker}"></option>`)}</datalist>`;

/** @param {Message} message @param {string} me */
function line({ id, type, detail, created_at }, me) {
  const { name = 'somebody', text, to } = detail;
  const time = html`<time datetime="${created_at}" title="Swatch Internet Time">${beats(created_at)}</time>`;
  const speaker = html`<b class="hue-${hue(name)}">${name}</b>`;
  switch (type) {
    case 'guest_entered':
      return html`<p id="m${id}" class="note">${time} ~*~ ${speaker} has entered the room ~*~</p>`;
    case 'whisper':
      return html`<p id="m${id}" class="whisper">${time} ${speaker} whispers to ${to === me ? 'you' : to}: ${text}</p>`;
    default:
      return html`<p id="m${id}">${time} ${speaker}: ${text}</p>`;
  }
}

/** The counter of the time: six digits, always. @param {Pick<Room, 'visitors'>} room */
export const visitorsPart = ({ visitors }) =>
  html`<p class="digits"><span class="hidden">${visitors}</span><span aria-hidden="true">${[
    ...String(visitors).padStart(6, '0'),
  ].map((digit) => html`<i>${digit}</i>`)}</span></p>`;

/** @param {Message[]} messages @param {string} me */
const speakers = (messages, me) =>
  [...new Set(messages.map(({ detail }) => detail.name))].filter((name) => name && name !== me);

/** One of eight colours, the same for a name each time. @param {unknown} name */
const hue = (name) => [...String(name)].reduce((sum, letter) => sum + (letter.codePointAt(0) ?? 0), 0) % 8;

/** A time that is the same everywhere on the net: a thousandth of Biel's day. @param {string} time */
function beats(time) {
  const seconds = (Date.parse(time) / 1000 + 3600) % 86_400;
  return `@${String(Math.floor(seconds / 86.4)).padStart(3, '0')}`;
}
