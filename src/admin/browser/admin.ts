/** JavaScript of the admin's pages beside htmx: the live view, a box that selects all rows, times in the reader's time zone, a folded filter. */

interface LiveEvent {
  id: number;
  type: string;
  scope: string;
  user: string | null;
  topic: string | null;
  detail: string;
  createdAt: string;
}

/** Rows that stay on the page, and characters of a detail in a row. */
const MAX_ROWS = 200;
const MAX_DETAIL = 200;

const byId = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;

/** Makes an element with text only, so that whatever an event contains is shown and never read as markup. */
function element(name: string, className: string, ...children: (Node | string)[]): HTMLElement {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** A link to the list of events for a user or a topic. */
function listLink(root: string, field: 'user' | 'topic', value: string): HTMLElement {
  const link = document.createElement('a');
  link.className = field;
  link.href = `${root}?${new URLSearchParams({ [field]: value })}`;
  link.textContent = value;
  return link;
}

function row(event: LiveEvent, root: string): HTMLElement {
  const link = document.createElement('a');
  link.href = `${root}events/${event.id}/`;
  link.append(element('span', 'type', event.type), ' ', element('span', 'id', String(event.id)));
  const head = element('th', '', link);
  head.setAttribute('scope', 'row');
  const audience = element('td', 'whom', element('span', 'scope', event.scope));
  if (event.user !== null) audience.append(' ', listLink(root, 'user', event.user));
  if (event.topic !== null) audience.append(' ', listLink(root, 'topic', event.topic));
  const detail = event.detail.length > MAX_DETAIL ? `${event.detail.slice(0, MAX_DETAIL)}…` : event.detail;
  const time = document.createElement('time');
  time.dateTime = event.createdAt;
  time.append(
    `${event.createdAt.slice(0, 10)} `,
    element('b', '', event.createdAt.slice(11, 19)),
    element('span', 'ms', event.createdAt.slice(19, 23)),
  );
  return element(
    'tr',
    'fresh',
    head,
    audience,
    element('td', 'detail', element('code', '', detail)),
    element('td', 'when', time),
  );
}

function watch(view: HTMLElement): void {
  const [rows, state, empty, pause] = [byId('live-rows'), byId('live-state'), byId('live-empty'), byId('live-pause')];
  const [type, user, topic] = ['live-type', 'live-user', 'live-topic'].map((id) => byId<HTMLInputElement>(id));
  const wanted = (event: LiveEvent) =>
    event.type.startsWith(type!.value) &&
    (!user!.value || event.user === user!.value) &&
    (!topic!.value || event.topic === topic!.value);
  let held: LiveEvent[] | undefined;
  let missed = 0;
  byId('live-off').hidden = true;
  view.hidden = false;

  const say = (text: string) => {
    if (state.textContent !== text) state.textContent = text;
  };
  const show = (event: LiveEvent) => {
    rows.prepend(row(event, view.dataset.root!));
    while (rows.childElementCount > MAX_ROWS) rows.lastElementChild!.remove();
    empty.hidden = true;
  };
  const source = new EventSource(view.dataset.stream!);
  source.onopen = () => say('Watching');
  source.onerror = () =>
    say(source.readyState === EventSource.CLOSED ? 'Refused: log in again, and load the page.' : 'Connecting again…');
  source.addEventListener('event', (message) => {
    const event: LiveEvent = JSON.parse(message.data);
    if (!wanted(event)) return;
    if (!held) show(event);
    else {
      held.push(event);
      if (held.length > MAX_ROWS) held.shift();
    }
  });
  source.addEventListener('left-out', (message) => {
    missed += Number(message.data);
    say(`Watching; ${missed} events came too fast and are not shown here`);
  });
  pause.addEventListener('click', () => {
    const waiting = held;
    held = waiting ? undefined : [];
    pause.setAttribute('aria-pressed', String(held !== undefined));
    for (const event of waiting ?? []) show(event);
  });
  byId('live-clear').addEventListener('click', () => {
    rows.replaceChildren();
    empty.hidden = false;
  });
}

function boxes(all: HTMLInputElement): HTMLInputElement[] {
  return [...all.closest('table')!.querySelectorAll<HTMLInputElement>('input[name=id]')];
}

const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Adds to each UTC time the time in the reader's time zone, once. */
function tellZone(): void {
  if (/^(Etc\/)?(UTC|GMT)$/.test(ZONE)) return;
  for (const place of document.querySelectorAll('[data-zone]:empty')) {
    place.textContent = `, and below them those of ${ZONE}`;
  }
  for (const time of document.querySelectorAll<HTMLTimeElement>('time[datetime]:not(:has(+ .local))')) {
    const date = new Date(time.dateTime);
    const [day, clock] = [date.toLocaleDateString('sv-SE'), date.toLocaleTimeString('en-GB')];
    const sameDay = time.dateTime.startsWith(day);
    time.after(element('span', 'local', `${sameDay ? '' : `${day} `}${clock}`));
  }
}

/** Folds the filter on a phone. Without this script it is open. */
const wide = matchMedia('(min-width: 44.01rem)');
function fold(): void {
  for (const form of document.querySelectorAll<HTMLDetailsElement>('details.fold')) form.open = wide.matches;
}
wide.addEventListener('change', fold);
fold();

/** Shows the box that selects all rows, also in content that htmx inserts later. Without this script the box would do nothing, so it is hidden in the page. */
const reveal = () => {
  tellZone();
  for (const all of document.querySelectorAll<HTMLInputElement>('[data-select-all]')) all.hidden = false;
};

document.addEventListener('change', ({ target }) => {
  if (!(target instanceof HTMLInputElement)) return;
  if (target.matches('[data-select-all]')) {
    for (const box of boxes(target)) box.checked = target.checked;
  } else if (target.name === 'id') {
    const all = target.closest('table')?.querySelector<HTMLInputElement>('[data-select-all]');
    if (all) all.checked = boxes(all).every((box) => box.checked);
  }
});

new MutationObserver(reveal).observe(document.body, { childList: true, subtree: true });
reveal();
const view = document.getElementById('live');
if (view) watch(view);
