import type { ExecutionContext } from 'ava';
import type { RealtimeOptions } from '../../src/index.js';
import { startApp } from './server.js';

/** An app whose admin lets in whoever sends `x-admin: yes`, and a browser of theirs that keeps its cookie. */
export async function openAdmin(t: ExecutionContext, options: RealtimeOptions = {}) {
  const app = await startApp(t, {
    admin: { authorize: (request) => request.headers.get('x-admin') === 'yes' },
    ...options,
  });
  const root = `${app.origin}${options.basePath ?? '/realtime'}/admin/`;
  const visit = (path = '', init: RequestInit = {}) =>
    fetch(root + path, { redirect: 'manual', ...init, headers: { 'x-admin': 'yes', ...init.headers } });
  const see = async (path = '') => (await visit(path)).text();
  const post = (body: Record<string, string>, headers: Record<string, string>) =>
    visit('replay/', { method: 'POST', body: new URLSearchParams(body), headers });
  /** Opens the confirm page. */
  const confirm = async (...ids: number[]) => {
    const response = await visit(`replay/?${ids.map((id) => `id=${id}`).join('&')}`);
    const page = await response.text();
    return {
      cookie: response.headers.get('set-cookie')!.split(';')[0]!,
      setCookie: response.headers.get('set-cookie')!,
      token: /name="token" value="([^"]+)"/.exec(page)![1]!,
      ids: /name="ids" value="([^"]+)"/.exec(page)![1]!,
      page,
    };
  };
  return { ...app, root, visit, see, post, confirm };
}
