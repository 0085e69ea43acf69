/** The parts of a request that say which page asks. */
export interface OriginHeaders {
  origin: string | undefined;
  host: string | undefined;
  fetchSite: string | undefined;
}

/**
 * Whether the page that asks may open the stream: a page of this host, one of the allowed origins, or no page at all.
 * A stream carries the user's events and EventSource sends cookies, so any other page is refused.
 *
 * @returns the CORS headers of the answer, or undefined: refused.
 */
export function checkOrigin(
  { origin, host, fetchSite }: OriginHeaders,
  allowed: readonly string[],
): Record<string, string> | undefined {
  if (origin === undefined || fetchSite === 'same-origin') return {};
  if (allowed.includes(origin)) {
    return { 'Access-Control-Allow-Origin': origin, 'Access-Control-Allow-Credentials': 'true', Vary: 'Origin' };
  }
  return URL.canParse(origin) && new URL(origin).host === host ? {} : undefined;
}
