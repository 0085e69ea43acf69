import { createCookieSessionStorage } from 'react-router';

/** The login is React Router's: a session in a cookie that it signs. */
export const { getSession, commitSession } = createCookieSessionStorage({
  cookie: {
    name: '__session',
    secrets: [process.env.SESSION_SECRET],
    httpOnly: true,
    sameSite: 'lax',
    path: '/',
  },
});

/** @param {Request} request @returns {Promise<string | undefined>} */
export async function userOf(request) {
  return (await getSession(request.headers.get('cookie'))).get('user');
}
