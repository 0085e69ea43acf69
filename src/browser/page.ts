/** What is read from the page. Elements of user content can stand in for properties of `document`, by their name. */

/** The document's own property, whatever an element of that name says. */
export const documentHas = <Value>(name: 'baseURI' | 'currentScript' | 'hidden' | 'readyState'): Value =>
  Reflect.get(Document.prototype, name, document) as unknown as Value;

/** The absolute address of what the page names. A `<base>` of another origin is not followed: user content may have put it there. */
export function addressOf(reference: string): URL {
  const url = new URL(reference, documentHas<string>('baseURI'));
  const { origin, href } = location;
  const own = new URL(reference, /^\w+:\/\//.test(href) ? href : url);
  // What names a host of its own is the same address from any base.
  return url.origin === origin ? url : own;
}

/** Listens for what is fired at the document or the window: no element can stand in for `window.addEventListener`. */
export const listen = (name: string, call: () => void, signal?: AbortSignal): void =>
  addEventListener(name, () => call(), { capture: true, ...(signal && { signal }) });

/** An error in the page's code must not keep an event from anybody else. */
export function safely<Arguments extends unknown[]>(
  callback: ((...values: Arguments) => void) | undefined,
  ...values: Arguments
): void {
  try {
    callback?.(...values);
  } catch (error) {
    (typeof reportError === 'function' ? reportError : console.error)(error);
  }
}
