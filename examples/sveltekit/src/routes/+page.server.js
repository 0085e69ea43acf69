import { read } from '$lib/server/realtime.js';

/** @type {import('@sveltejs/kit').ServerLoad} */
export const load = async ({ locals: { user } }) => ({ user, scriptTag: user ? await read(user) : '' });

/** @type {import('@sveltejs/kit').Actions} */
export const actions = {
  default: async ({ cookies, request }) => {
    const name = String((await request.formData()).get('name') ?? '');
    if (/^\w{1,30}$/.test(name)) cookies.set('name', name, { path: '/', secure: false });
  },
};
