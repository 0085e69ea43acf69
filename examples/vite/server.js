/** One server for pages and streams: `node server.js` with Vite in it, `NODE_ENV=production node server.js` for what Vite has built. */
import express from 'express';

const app = express();

if (process.env.NODE_ENV === 'production') {
  const { router } = await import('./server/app.js');
  app.use(router, express.static('dist'));
} else {
  const { createServer } = await import('vite');
  const vite = await createServer({ server: { middlewareMode: true } });
  // Vite loads the app anew after an edit.
  app.use(async (req, res, next) => (await vite.ssrLoadModule('/server/app.js')).router(req, res, next));
  app.use(vite.middlewares);
}

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1');

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => server.close(() => process.exit(0)));
}
