/** The login: a name in a cookie; your app has a real one. @type {import('@sveltejs/kit').Handle} */
export const handle = ({ event, resolve }) => {
  event.locals.user = event.cookies.get('name') ?? null;
  return resolve(event);
};
