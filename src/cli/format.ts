import { styleText } from 'node:util';
import type { Event } from '../event/event.js';
import { printable } from '../lib/printable.js';

// Every publisher writes to the terminal of the person who watches. C1 controls, which JSON leaves as they are, could move the cursor or
// set the title.
export const defuse = printable;

/** As {@link defuse}, for a text that must stay JSON, which has only escapes of 16 bits. */
const defuseJson = (json: string) =>
  json.replace(/[^ -~]/gu, (character) => {
    if (defuse(character) === character) return character;
    return character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join('');
  });

const clock = (date: Date) => `${date.toLocaleTimeString('en-GB')}.${String(date.getMilliseconds()).padStart(3, '0')}`;

/** One event on one line, for people. */
export function formatEvent(event: Event, colour: boolean): string {
  const paint = (format: Parameters<typeof styleText>[0], text: string) => (colour ? styleText(format, text) : text);
  const name = event.topic ?? event.userId;
  const whom = name === null ? event.scope : `${event.scope} ${defuse(name)}`;
  const hue = { user: 'cyan', public: 'green', topic: 'yellow', system: 'magenta' } as const;
  return [
    paint('gray', clock(event.createdAt)),
    paint('gray', String(event.id)),
    paint(hue[event.scope], whom),
    paint('bold', defuse(event.type)),
    defuseJson(JSON.stringify(event.detail)),
  ].join('  ');
}

/** One event on one line, for programs. */
export function formatJson({ id, type, scope, userId, topic, detail, createdAt }: Event): string {
  return defuseJson(
    JSON.stringify({ id, type, scope, user_id: userId, topic, detail, created_at: createdAt.toISOString() }),
  );
}
