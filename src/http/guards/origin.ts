import type { Incoming } from '../incoming.js';

/** The headers that say which page sent a request. */
export interface OriginHeaders {
  origin: string | undefined;
  host: string | undefined;
  fetchSite: string | undefined;
}

export const originOf = (incoming: Pick<Incoming, 'header'>): OriginHeaders => ({
  origin: incoming.header('origin'),
  host: incoming.header('host'),
  fetchSite: incoming.header('sec-fetch-site'),
});

/** How an origin of a web page begins, as browsers write it. */
const WEB = /^https?:\/\//;

/** An origin of an app's or an extension's page: `capacitor://localhost`, `chrome-extension://…`. */
const APP = /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9._-]+(:\d{1,5})?$/;

/** One label of a host's name: `example` in `app.example.com`. */
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

const WILDCARD = '*.';

/** Splits an entry like `https://*.example.com:8443`. @returns undefined if it has another form */
function wildcardOf(entry: string): { scheme: string; rest: string } | undefined {
  const [, scheme, rest] = /^(https?:\/\/)\*\.(.+)$/.exec(entry) ?? [];
  if (scheme === undefined || rest === undefined || rest.includes('*')) return undefined;
  if (!URL.canParse(scheme + rest) || new URL(scheme + rest).origin !== scheme + rest) return undefined;
  const { hostname } = new URL(scheme + rest);
  // Refused: an IP address, which has no subdomains, and `*.com`, whose subdomains belong to many owners.
  const named = hostname === 'localhost' || (hostname.includes('.') && hostname.split('.').every((l) => LABEL.test(l)));
  return named && !/^[\d.]+$/.test(hostname) ? { scheme, rest } : undefined;
}

/** Whether `allowedOrigins` may have this entry. */
export function isAllowable(entry: string): boolean {
  if (entry.includes('*')) return wildcardOf(entry) !== undefined;
  return WEB.test(entry) ? URL.canParse(entry) && new URL(entry).origin === entry : APP.test(entry);
}

/** What an entry of `allowedOrigins` must be, as a part of an error's sentence. */
export const ALLOWABLE =
  'an origin: https://app.example.com, https://*.example.com (any one subdomain), or capacitor://localhost';

/** The origins in `allowedOrigins`. An entry is compared as a whole; `*` stands for exactly one label of the host's name. */
export class Origins {
  readonly #exact: ReadonlySet<string>;
  readonly #wildcards: { scheme: string; rest: string }[];

  /** @param entries - for each of them {@link isAllowable} must be true */
  constructor(entries: readonly string[]) {
    this.#exact = new Set(entries.filter((entry) => !entry.includes(WILDCARD)));
    this.#wildcards = entries.map(wildcardOf).filter((wildcard) => wildcard !== undefined);
  }

  has(origin: string): boolean {
    if (this.#exact.has(origin)) return true;
    return this.#wildcards.some(({ scheme, rest }) => {
      if (!origin.startsWith(scheme)) return false;
      const dot = origin.indexOf('.');
      return dot > 0 && LABEL.test(origin.slice(scheme.length, dot)) && origin.slice(dot + 1) === rest;
    });
  }
}

/**
 * Whether the sender of a request may open the stream. A page of this host may, a page of an allowed origin, and a sender
 * that is no page. Any other page is refused: EventSource sends the user's cookies, so that page would read the user's events.
 *
 * @returns the CORS headers for the answer; undefined when the request is refused
 */
export function checkOrigin(
  { origin, host, fetchSite }: OriginHeaders,
  allowed?: Origins,
): Record<string, string> | undefined {
  if (origin === undefined || fetchSite === 'same-origin') return {};
  if (allowed?.has(origin)) {
    return { 'Access-Control-Allow-Origin': origin, 'Access-Control-Allow-Credentials': 'true', Vary: 'Origin' };
  }
  // Only origins of web pages are compared with the host: `capacitor://localhost` is no page of a server on localhost.
  return WEB.test(origin) && host !== undefined && isOfHost(origin, host) ? {} : undefined;
}

/** A host as a request names it, and its port. */
const HOST = /^[^/?#@\\]+$/;

/** Whether an origin is of this host. A proxy may write the default port into `Host` (nginx: `$host:$server_port`), which no origin has. */
function isOfHost(origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return false;
  const own = new URL(origin);
  if (own.host === host) return true;
  const named = `${own.protocol}//${host}`;
  return HOST.test(host) && URL.canParse(named) && new URL(named).host === own.host;
}
