import { shortSnapshot } from '../event/short-snapshot.js';

export interface ScriptTagOptions {
  /** Connect when the script has loaded. @defaultValue true */
  autoConnect?: boolean;
  /** The address of the stream; its query may have a token. @defaultValue the runtime's own */
  endpoint?: string;
  /** What `djr.position()` returned in the statement that read the page's state: the stream begins exactly there. */
  since?: string;
  /** Topics that the page hears from the start. */
  topics?: readonly string[];
  /** The seals of `djr.seal` for them, in the order of `topics`; undefined: that topic is asked for by name. */
  seals?: readonly (string | null | undefined)[];
  /** Whether the tabs of an origin share one connection. @defaultValue true, where the browser can */
  shareTabs?: boolean;
  /** A text that differs between users: tabs with different keys never share a connection. */
  key?: string;
  /** The nonce of the page's Content-Security-Policy. */
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
