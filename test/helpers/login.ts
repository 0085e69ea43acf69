/** Logs in to an example, as its form does. @returns the cookies that the login has set, as a browser sends them */
export async function login(url: string, name: string): Promise<string> {
  const response = await fetch(new URL('/login', url), {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: new URL(url).origin },
    body: new URLSearchParams({ name }),
  });
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ');
}
