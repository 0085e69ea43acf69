/** A request's body: its text, or what a parser before us has made of it; `broken off`: the client left within it. */
export type Body = { text: string } | { parsed: unknown } | 'too large' | 'taken' | 'broken off';

/** Reads chunks up to so many bytes. */
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

/** @returns undefined when it is no JSON */
export function toJson(body: { text: string } | { parsed: unknown }): unknown {
  if ('parsed' in body) return body.parsed;
  try {
    return JSON.parse(body.text);
  } catch {
    return undefined;
  }
}
