import { userOf } from '#lib/server/sessions.js';

/** @type {import('@sveltejs/kit').Handle} */
export const handle = async ({ event, resolve }) => {
  event.locals.user = await userOf(event.cookies.get('session'));
  return resolve(event);
};
