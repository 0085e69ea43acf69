import { defineMiddleware } from 'astro:middleware';

/** The login is Astro's: a session, of which the page has a cookie. */
export const onRequest = defineMiddleware(async (context, next) => {
  context.locals.user = await context.session?.get('user');
  return next();
});
