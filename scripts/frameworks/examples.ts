/** Examples that are installed: each is an app of its own, with djr as the packed file. */
export interface Example {
  /** What builds it, in turn; `npx` finds it. */
  build?: string[];
  /** What starts what was built, without npm before it, which would hear the signal. */
  start: string[];
  /** The development server, and the module with the runtime in it, which is edited while that runs. */
  develop?: { start: string[]; module: string };
  /** What of it is deployed, into an empty folder: source to target. Without it all is run where it was built. */
  deploy?: Record<string, string>;
  /** Environment beside DATABASE_URL, PORT, HOST and SESSION_SECRET. */
  env?: (origin: string) => Record<string, string>;
  /** The oldest Node that the framework runs on, where djr's own is too old. */
  node?: string;
  /**
   * Whether its server waits, with djr or without, for connections on which nothing was asked. Chromium opens such connections ahead, so it
   * is closed before SIGTERM, while a stream of its user's stays open.
   */
  awaitsQuietConnections?: true;
  /** The folder in examples/, where it is not the name. */
  folder?: string;
  /** Packages that are installed in another version than the example asks for. */
  packages?: Record<string, string>;
}

const next = (origin: string) => ({ NEXTAUTH_URL: origin, NEXTAUTH_SECRET: 'of the tests', HOSTNAME: '127.0.0.1' });

const NEXT: Example = {
  develop: { start: ['next', 'dev', '--hostname', '127.0.0.1'], module: 'app/lib/realtime.js' },
  build: ['next', 'build'],
  start: ['next', 'start', '--hostname', '127.0.0.1'],
  env: next,
  awaitsQuietConnections: true,
};

const REACT_ROUTER: Example = {
  develop: { start: ['react-router', 'dev', '--host', '127.0.0.1'], module: 'app/lib/realtime.server.js' },
  build: ['react-router', 'build'],
  start: ['react-router-serve', 'build/server/index.js'],
};

export const EXAMPLES: Record<string, Example> = {
  bun: { start: ['bun', 'server.js'] },
  deno: { start: ['deno', 'run', '--allow-all', 'server.js'] },
  vite: {
    develop: { start: ['node', 'server.js'], module: 'server/realtime.js' },
    build: ['vite', 'build'],
    start: ['node', 'server.js'],
  },
  sveltekit: {
    develop: { start: ['vite', 'dev', '--host', '127.0.0.1'], module: 'src/lib/server/realtime.js' },
    build: ['vite', 'build'],
    // djr is a devDependency of it, so SvelteKit bundles it.
    deploy: { build: 'build', 'package.json': 'package.json' },
    start: ['node', 'build'],
    env: (origin) => ({ ORIGIN: origin }),
    node: '22.17',
  },
  astro: {
    develop: { start: ['astro', 'dev', '--host', '127.0.0.1'], module: 'src/lib/realtime.js' },
    build: ['astro', 'build'],
    start: ['node', 'dist/server/entry.mjs'],
    env: () => ({ ASTRO_TELEMETRY_DISABLED: '1' }),
    node: '22.12',
  },
  'react-router': REACT_ROUTER,
  'react-router-8': {
    ...REACT_ROUTER,
    folder: 'react-router',
    packages: {
      '@react-router/dev': '8.4.0',
      '@react-router/node': '8.4.0',
      '@react-router/serve': '8.4.0',
      'react-router': '8.4.0',
    },
    node: '22.22',
  },
  nuxt: {
    develop: { start: ['nuxt', 'dev', '--host', '127.0.0.1', '--no-fork'], module: 'server/utils/realtime.js' },
    build: ['nuxt', 'build'],
    start: ['node', '.output/server/index.mjs'],
    env: () => ({ NUXT_TELEMETRY_DISABLED: '1' }),
    node: '22.19',
  },
  'nuxt-output': {
    folder: 'nuxt',
    build: ['nuxt', 'build'],
    deploy: { '.output': '.output' },
    start: ['node', '.output/server/index.mjs'],
    env: () => ({ NUXT_TELEMETRY_DISABLED: '1' }),
    node: '22.19',
  },
  next: NEXT,
  'next-15': { ...NEXT, folder: 'next', packages: { next: '^15.0.0' } },
  'next-14': {
    ...NEXT,
    folder: 'next',
    packages: { next: '^14.0.0', react: '^18.0.0', 'react-dom': '^18.0.0' },
  },
  'next-standalone': {
    folder: 'next',
    build: ['next', 'build'],
    deploy: { '.next/standalone': '.', '.next/static': '.next/static' },
    start: ['node', 'server.js'],
    env: (origin) => ({ ...next(origin), NEXT_OUTPUT: 'standalone' }),
    awaitsQuietConnections: true,
  },
};

/** Development servers of frameworks read no PORT. */
export const portOf = ([command]: string[], port: number): string[] =>
  command === 'node' ? [] : ['--port', `${port}`];

/** Examples that run in the clone itself, with its packages; test/examples/ has their tests. */
export const IN_PLACE: Record<string, { start: string[]; env?: Record<string, string> }> = {
  node: { start: ['node', 'examples/node/server.js'] },
  express: { start: ['node', 'examples/express/server.js'] },
  fastify: { start: ['node', 'examples/fastify/server.js'] },
  koa: { start: ['node', 'examples/koa/server.js'] },
  hono: { start: ['node', 'examples/hono/server.js'] },
  nest: {
    start: ['node', '--import=tsx', 'examples/nest/server.ts'],
    env: { TSX_TSCONFIG_PATH: 'examples/nest/tsconfig.json' },
  },
};
