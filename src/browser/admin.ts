/** What the admin's pages do with JavaScript beyond htmx: the live view, and a box that selects all. */

interface LiveEvent {
  id: number;
  type: string;
  scope: string;
  user: string | null;
  detail: string;
  createdAt: string;
}

/** Rows that stay on the page; characters of a detail. */
const MAX_ROWS = 200;
const MAX_DETAIL = 200;

const byId = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;

/** Text only: whatever an event holds is shown and never read as markup. */
function element(name: string, className: string, ...children: (Node | string)[]): HTMLElement {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

function row(event: LiveEvent, root: string): HTMLElement {
  const link = document.createElement('a');
  link.href = `${root}${event.id}/`;
  link.append(element('span', 'type', event.type), ' ', element('span', 'id', String(event.id)));
  const head = element('th', '', link);
  head.setAttribute('scope', 'row');
  const audience = element('td', 'whom', element('span', 'scope', event.scope));
  if (event.user !== null) audience.append(' ', element('span', 'user', event.user));
  const detail = event.detail.length > MAX_DETAIL ? `${event.detail.slice(0, MAX_DETAIL)}…` : event.detail;
  const time = element('time', '', `${event.createdAt.slice(0, 10)} `, element('b', '', event.createdAt.slice(11, 19)));
  time.append(element('span', 'ms', event.createdAt.slice(19, 23)));
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
  const type = byId<HTMLInputElement>('live-type');
  let held: LiveEvent[] | undefined;
  let missed = 0;
  byId('live-off').hidden = true;
  view.hidden = false;

  const say = (text: string) => {
    if (state.textContent !== text) state.textContent = text;
  };
  const show = (event: LiveEvent) => {
    rows.prepend(row(event, view.dataset.event!));
    while (rows.childElementCount > MAX_ROWS) rows.lastElementChild!.remove();
    empty.hidden = true;
  };
  const source = new EventSource(view.dataset.stream!);
  source.onopen = () => say('Watching');
  source.onerror = () =>
    say(source.readyState === EventSource.CLOSED ? 'Refused: log in again, and load the page.' : 'Connecting again…');
  source.addEventListener('event', (message) => {
    const event: LiveEvent = JSON.parse(message.data);
    if (!event.type.startsWith(type.value)) return;
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

/** Also for what htmx puts in later: without this script the box would do nothing, so it is hidden. */
const reveal = () => {
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
