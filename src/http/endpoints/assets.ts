import { createHash } from 'node:crypto';
import { type Endpoint, READ } from '../endpoint.js';
import { problem, type Reply } from '../reply.js';

interface Asset {
  body: Buffer;
  etag: string;
}

/** The name does not change with the content, so a cache keeps it for a day and then asks again with the ETag. */
const KEPT = 'public, max-age=86400, stale-while-revalidate=604800';

/** A part must have the same version as the script that loads it, so a cache asks with the ETag each time. */
const ASKED_FOR = 'public, no-cache';

const assets = new Map<string, Promise<Asset>>();

async function read(load: () => Promise<string>): Promise<Asset> {
  const body = Buffer.from(await load());
  return { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 16)}"` };
}

/**
 * Answers with a file that is built into the package.
 *
 * @param name - the file's name, by which it is kept; its ending gives the type
 * @param load - reads its text; called once
 */
export async function assetReply(
  name: string,
  load: () => Promise<string>,
  ifNoneMatch: string | undefined,
  cacheControl = KEPT,
): Promise<Reply> {
  let asset = assets.get(name);
  if (!asset) {
    asset = read(load);
    assets.set(name, asset);
    asset.catch(() => assets.delete(name));
  }
  try {
    const { body, etag } = await asset;
    const headers = {
      'Content-Type': `text/${name.endsWith('.css') ? 'css' : 'javascript'}; charset=utf-8`,
      'Cache-Control': cacheControl,
      ETag: etag,
      'Access-Control-Allow-Origin': '*',
      'Cross-Origin-Resource-Policy': 'cross-origin',
      'X-Content-Type-Options': 'nosniff',
    };
    const known = ifNoneMatch?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag || tag.trim() === '*');
    return known ? { status: 304, headers, body: '' } : { status: 200, headers, body };
  } catch {
    return problem(500, `The package lacks ${name}: build it with "npm run build".`);
  }
}

/** The browser client: a classic script, a module, and the part that both load when a page joins a topic. */
export const SCRIPTS: readonly Endpoint[] = (
  [
    ['djr.js', KEPT],
    ['djr.mjs', KEPT],
    ['djr-topics.mjs', ASKED_FOR],
  ] as const
).map(([name, cacheControl]) => ({
  path: name,
  methods: READ,
  respond: (incoming) =>
    assetReply(
      name,
      async () => (await import('./client-scripts.js')).CLIENT_SCRIPTS[name],
      incoming.header('if-none-match'),
      cacheControl,
    ),
}));
