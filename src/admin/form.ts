import type { Incoming } from '../http/incoming.js';

/** Bytes that a form may have: enough for a hundred ids and a token. */
const MAX_BYTES = 16 * 1024;

/** The fields of a form, also if a parser of the app has read it. @returns 'too large' or 'unreadable' if they cannot be had */
export async function readForm(incoming: Incoming): Promise<Map<string, string> | 'too large' | 'unreadable'> {
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(incoming.header('content-type') ?? '')) return 'unreadable';
  if (Number(incoming.header('content-length')) > MAX_BYTES) return 'too large';
  const body = await incoming.body(MAX_BYTES);
  if (body === 'too large') return body;
  if (body === 'taken' || body === 'broken off') return 'unreadable';
  if ('text' in body) return new Map(new URLSearchParams(body.text));
  if (typeof body.parsed !== 'object' || body.parsed === null) return 'unreadable';
  const fields = Object.entries(body.parsed).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return new Map(fields);
}
