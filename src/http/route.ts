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
