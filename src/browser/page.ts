/** Reads from the page. An element of user content hides the property of `document` that has the element's name, so none is read directly. */

/** The document's own property, even if an element of that name hides it. */
export const documentHas = <Value>(name: 'baseURI' | 'currentScript' | 'hidden' | 'readyState'): Value =>
  Reflect.get(Document.prototype, name, document) as unknown as Value;

/** Makes an address of the page absolute. A `<base>` of another origin is ignored: user content may have put it there. */
export function addressOf(reference: string): URL {
  const url = new URL(reference, documentHas<string>('baseURI'));
  const { origin, href } = location;
  const own = new URL(reference, /^\w+:\/\//.test(href) ? href : url);
  // An address that names a host is the same with either base.
  return url.origin === origin ? url : own;
}

/** Listens for an event of the document or the window. An element can hide `document.addEventListener`, but not the window's. */
export const listen = (name: string, call: () => void, signal?: AbortSignal): void =>
  addEventListener(name, () => call(), { capture: true, ...(signal && { signal }) });

/** Calls a callback of the page's. Its error is reported, and does not keep the event from other callbacks. */
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
