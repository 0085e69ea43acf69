import { shortSnapshot } from '../event/short-snapshot.js';

export interface ScriptTagOptions {
  /** Connect when the script has loaded. @defaultValue true */
  autoConnect?: boolean;
  /** Where the stream is, a token in its query perhaps. @defaultValue the runtime's own */
  endpoint?: string;
  /** From `djr.position()`, read in the snapshot of the page's state: the stream goes on from exactly there. */
  since?: string;
  /** Topics that the page hears from the start. */
  topics?: readonly string[];
  /** What `djr.seal` made for them, in the order of `topics`; undefined: that topic is asked for by name. */
  seals?: readonly (string | null | undefined)[];
  /** Whether the tabs of an origin share one connection. @defaultValue true, where the browser can */
  shareTabs?: boolean;
  /** Who the page is for, as anything that tells two users apart: tabs of two users never share a connection. */
  key?: string;
  /** For a Content-Security-Policy. */
  nonce?: string;
}

const escapeAttribute = (value: string): string =>
  value.replace(/[&"'<>]/g, (character) => `&#${character.charCodeAt(0)};`);

/** The script tag that loads the browser client, with its options as `data-` attributes. */
export function scriptTag(basePath: string, options: ScriptTagOptions = {}): string {
  const { autoConnect = true, endpoint = `${basePath}/sse/`, since, topics, seals, shareTabs, key, nonce } = options;
  const attributes: [string, string | undefined][] = [
    ['src', `${basePath}/djr.js`],
    ['data-endpoint', endpoint],
    ['data-auto-connect', String(autoConnect)],
    ['data-since', since && shortSnapshot(since)],
    ['data-topics', topics?.length ? topics.join(' ') : undefined],
    ['data-seal', seals?.some(Boolean) ? seals.map((seal) => seal ?? '').join(' ') : undefined],
    ['data-share-tabs', shareTabs === undefined ? undefined : String(shareTabs)],
    ['data-key', key],
    ['nonce', nonce],
  ];
  const text = attributes
    .map(([name, value]) => (value === undefined ? '' : ` ${name}="${escapeAttribute(value)}"`))
    .join('');
  return `<script${text} defer></script>`;
}
