/**
 * A request's body: its text, or the value that a parser of the app has made of it. `taken`: the app has read it and left nothing.
 * `broken off`: the client left before its end.
 */
export type Body = { text: string } | { parsed: unknown } | 'too large' | 'taken' | 'broken off';

/** Reads chunks to their end. @param limit - the bytes that they may have */
export async function readText(
  chunks: AsyncIterable<Uint8Array>,
  limit: number,
): Promise<{ text: string } | 'too large' | 'broken off'> {
  const read: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > limit) return 'too large';
      read.push(chunk);
    }
  } catch {
    return 'broken off';
  }
  return { text: Buffer.concat(read).toString() };
}

/** @returns the value; undefined if the text is no JSON */
export function toJson(body: { text: string } | { parsed: unknown }): unknown {
  if ('parsed' in body) return body.parsed;
  try {
    return JSON.parse(body.text);
  } catch {
    return undefined;
  }
}
