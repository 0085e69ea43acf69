/** The login is h3's: a session in a cookie that it encrypts. @param {import('h3').H3Event} event */
export const sessionOf = (event) => useSession(event, { password: process.env.SESSION_SECRET });
