import type { Detail } from '../event/event.js';

/** A string, a number or word, or what gives JSON its structure. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g;

/** The members of a detail that name a row. */
const IDS = [':id', ':old_id'];

/**
 * Parses a frame's data. If JavaScript cannot hold the id of a row as a number, the id is the text of the frame: as a number it
 * would be the id of another row.
 */
export function parseFrame(text: string): Detail {
  const data: Detail = JSON.parse(text);
  for (const name of IDS) {
    if (typeof data?.[name] === 'number' && !Number.isSafeInteger(data[name])) data[name] = rawMember(text, name);
  }
  return data;
}

/** The ids under which an event is fired as `djr:TYPE:ID` as well: its row's id, and the id that the row had before. */
export function rowsOf(data: Detail): unknown[] {
  return IDS.map((name) => data[name]).filter((id) => id !== undefined && id !== null);
}

/** The text of a number in an object. Like JSON.parse it takes the last member of that name. */
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

/** When the event of a frame was inserted: the end of the frame's id says it. */
export function timeOf(id: string): Date | undefined {
  const time = Number.parseInt(id.split('..')[1] ?? '', 36);
  return Number.isNaN(time) ? undefined : new Date(time);
}

/** Types that the client itself fires, and that no event may have. */
const OWN_TYPES = /^(connected|disconnected|reset|heartbeat|state|error|left|refused|presence|djr:.*)$/s;

/** Whether only the client itself may fire this type. */
export const isOwnWord = (type: unknown): boolean => OWN_TYPES.test(`${type}`);
