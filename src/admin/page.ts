import { PERSONAL_HEADERS, type Reply } from '../http/reply.js';
import { type Html, html } from './html.js';

/** Allows only djr's own files: no inline script or style, no other host, and no frame around the page. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const PAGE_HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': POLICY,
  ...PERSONAL_HEADERS,
  // With no-referrer a form's Origin would be null.
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Opener-Policy': 'same-origin',
};

/** The configuration of htmx: nothing in a page is evaluated. Without htmx its attributes have no effect. */
const HTMX_CONFIG = JSON.stringify({ includeIndicatorCSS: false, history: true });

export type Section = 'events' | 'live' | 'overview';

const SECTIONS: [Section, path: string, name: string][] = [
  ['events', '', 'Events'],
  ['live', 'live/', 'Live'],
  ['overview', 'overview/', 'Overview'],
];

export interface PageOptions {
  /** The path of the admin, with a slash at its end. */
  root: string;
  title: string;
  section?: Section | undefined;
  body: Html;
  status?: number;
  headers?: Record<string, string>;
}

/** Makes a whole page: head, navigation and content. */
export function page({ root, title, section, body, status = 200, headers = {} }: PageOptions): Reply {
  const links = SECTIONS.map(
    ([name, path, text]) =>
      html`<li><a href="${root}${path}"${name === section ? html` aria-current="page"` : ''}>${text}</a></li>`,
  );
  const markup = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<meta name="htmx-config" content="${HTMX_CONFIG}">
<title>${title} · djr</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${root}assets/admin.css">
<script src="${root}assets/htmx.min.js" defer></script>
<script src="${root}assets/admin.js" defer></script>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header class="top">
<div class="inside">
<a class="brand" href="${root}"><span class="pulse" aria-hidden="true"></span>djr <small>admin</small></a>
<nav aria-label="Pages"><ul>${links}</ul></nav>
</div>
</header>
<main id="content" class="inside" tabindex="-1">
${body}
</main>
</body>
</html>
`;
  return { status, headers: { ...PAGE_HEADERS, ...headers }, body: markup.toString() };
}

const TITLES: Record<number, string> = {
  400: 'That cannot be read',
  403: 'Not for you',
  404: 'Nothing here',
  405: 'Not this way',
  413: 'Too much',
  500: 'That went wrong',
  503: 'Not now',
};

/** Makes a page for an error: what happened, and what to do. */
export function errorPage(
  root: string,
  status: number,
  message: string,
  hint = '',
  headers: Record<string, string> = {},
): Reply {
  const title = TITLES[status] ?? 'Error';
  const body = html`<section class="notice" role="alert">
<p class="code">${status}</p>
<h1>${title}</h1>
<p>${message}</p>
${hint ? html`<p class="quiet">${hint}</p>` : ''}
${status === 403 ? '' : html`<p><a href="${root}">To the events</a></p>`}
${status === 503 ? html`<p><a href="${root}overview/">To the overview</a></p>` : ''}
</section>`;
  return page({ root, title, body, status, headers });
}

/** Shows a time for people, in UTC, as logs of servers have it. */
export function time(date: Date | null): Html {
  if (date === null) return html`<span class="quiet">no time</span>`;
  const iso = date.toISOString();
  return html`<time datetime="${iso}" title="${iso}">${iso.slice(0, 10)} <b>${iso.slice(11, 19)}</b><span class="ms">${iso.slice(19, 23)}</span></time>`;
}

export const number = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: 1 });
