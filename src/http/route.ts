/** What a request below the base path asks for. */
export type Route = 'stream' | 'ack' | 'script' | 'module' | 'health' | 'metrics' | 'admin' | 'unknown';

const ROUTES: Record<string, Route> = {
  sse: 'stream',
  ack: 'ack',
  'djr.js': 'script',
  'djr.mjs': 'module',
  healthz: 'health',
  metrics: 'metrics',
};

/** @returns undefined when the path is not ours. */
export function route(basePath: string, pathname: string): Route | undefined {
  if (pathname !== basePath && !pathname.startsWith(`${basePath}/`)) return undefined;
  const rest = pathname.slice(basePath.length + 1).replace(/\/$/, '');
  if (rest === 'admin' || rest.startsWith('admin/')) return 'admin';
  return Object.hasOwn(ROUTES, rest) ? ROUTES[rest]! : 'unknown';
}

/** What the browser client and a page ask for: nobody else has these at the end of a path. */
const TELLING = ['/sse', '/djr.js', '/djr.mjs', '/ack'];

/** @returns below which path somebody looks for our routes; undefined: the path is of something else */
export function misplaced(pathname: string): string | undefined {
  const path = pathname.replace(/\/$/, '');
  const end = TELLING.find((end) => path.endsWith(end));
  return end === undefined ? undefined : path.slice(0, -end.length);
}
