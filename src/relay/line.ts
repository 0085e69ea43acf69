import { decodeMessage, type Envelope, UNSTORED } from '../event/envelope.js';

/** One event as a NOTIFY message has it: a JSON header, a tab and the detail. */
export function encodeLine(envelope: Envelope): string {
  const { id, xid, scope, userId, type, createdAt, topic, unstored, detailText } = envelope;
  const header: unknown[] = [id, xid === null ? null : String(xid), scope, userId, type, createdAt];
  if (topic !== null || unstored) header.push(topic);
  if (unstored) header.push(UNSTORED);
  return `${JSON.stringify(header)}\t${detailText}`;
}

/** @returns undefined for what is no event: a stranger may have written it into the log */
export function readLine(line: string): Envelope | undefined {
  try {
    return decodeLine(line);
  } catch {
    return undefined;
  }
}

/** @throws when it is not one event */
export function decodeLine(line: string): Envelope {
  const envelopes = decodeMessage(line);
  if (envelopes.length !== 1) throw new Error(`a message of the log must be one event (it has ${envelopes.length})`);
  return envelopes[0]!;
}
