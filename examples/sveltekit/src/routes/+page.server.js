import { enterLobby } from '#lib/server/realtime.js';
import { begin } from '#lib/server/sessions.js';

/** @type {import('@sveltejs/kit').ServerLoad} */
export const load = async ({ locals: { user } }) => ({ user, lobby: user ? await enterLobby(user) : undefined });

/** @type {import('@sveltejs/kit').Actions} */
export const actions = {
  default: async ({ cookies, locals, request }) => {
    const name = String((await request.formData()).get('name'));
    if (!/^\w{1,30}$/.test(name)) return;
    // `secure` is SvelteKit's default wherever it is not on localhost.
    cookies.set('session', await begin(name), { path: '/', secure: false });
    locals.user = name;
  },
};
