import type { Detail } from '../event/event.js';

/** A string, a number or word, or what gives JSON its structure. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g;

/** The members of a detail that name a row. */
const IDS = [':id', ':old_id'];

/**
 * A frame's data. An id of a row that JavaScript cannot hold as a number is the text that the frame has: as a number it
 * would be another row's.
 */
export function parseFrame(text: string): Detail {
  const data: Detail = JSON.parse(text);
  for (const name of IDS) {
    if (typeof data?.[name] === 'number' && !Number.isSafeInteger(data[name])) data[name] = rawMember(text, name);
  }
  return data;
}

/** The rows that an event is about, as `djr:TYPE:ID` names them: the one it is, and the one it was. */
export function rowsOf(data: Detail): unknown[] {
  return IDS.map((name) => data[name]).filter((id) => id !== undefined && id !== null);
}

/** The text of a number in an object, of the last member of the name, as JSON.parse takes it. */
function rawMember(text: string, name: string): string {
  let depth = 0;
  let key = '';
  let previous = '';
  let found = '';
  for (const [token] of text.matchAll(TOKEN)) {
    if (depth === 1 && token === ':') key = JSON.parse(previous);
    else if (depth === 1 && previous === ':' && key === name) found = token;
    if (token === '{' || token === '[') depth += 1;
    if (token === '}' || token === ']') depth -= 1;
    previous = token;
  }
  return found;
}

/** The number of the event in a frame's id (`1042-…`); 0 when there is none. */
export const eventOf = (id: string) => Number(id.split('-')[0]) || 0;

/** When the event of a frame was inserted, which its id says at the end. */
export function timeOf(id: string): Date | undefined {
  const time = Number.parseInt(id.split('..')[1] ?? '', 36);
  return Number.isNaN(time) ? undefined : new Date(time);
}

/** What the client says itself, and no event may. */
const OWN_TYPES = /^(connected|disconnected|reset|heartbeat|state|error|left|refused|presence|djr:.*)$/s;

/** Whether an event's type is a word of the client's own. */
export const isOwnWord = (type: unknown): boolean => OWN_TYPES.test(`${type}`);
