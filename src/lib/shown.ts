/** Characters of a value that an error shows. */
const MOST = 200;

/** A value as an error shows it: as JSON, else what type it is. */
export function shown(value: unknown): string {
  try {
    // Neither JSON nor an error comes of undefined, a function or a symbol.
    const text: string | undefined = JSON.stringify(value);
    return text === undefined ? typeof value : text.slice(0, MOST);
  } catch {
    // A bigint, or what holds itself.
    return typeof value;
  }
}
