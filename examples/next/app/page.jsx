import { cookies } from 'next/headers';
import { redirect } from 'next/navigation';
import { place, read } from './lib/orders.js';
import Live from './live.jsx';

async function login(form) {
  'use server';
  const name = String(form.get('name'));
  if (/^[\w-]{1,30}$/.test(name)) (await cookies()).set('name', name, { httpOnly: true, sameSite: 'lax' });
  redirect('/');
}

async function order(form) {
  'use server';
  const name = (await cookies()).get('name')?.value;
  const item = String(form.get('item')).slice(0, 80);
  if (name && item) await place(name, item);
}

export default async function Page() {
  const name = (await cookies()).get('name')?.value;
  if (!name) {
    return (
      <form action={login}>
        <h1>Orders</h1>
        <label>
          Your name <input name="name" required maxLength={30} pattern="[\w\-]+" />
        </label>{' '}
        <button type="submit">Come in</button>
      </form>
    );
  }
  const { orders, since } = await read(name);
  return (
    <>
      <h1>{name}&rsquo;s orders</h1>
      <form action={order}>
        <label>
          What shall it be? <input name="item" required maxLength={80} />
        </label>{' '}
        <button type="submit">Order</button>
      </form>
      <ul aria-live="polite">
        {orders.map(({ id, item, status }) => (
          <li key={id}>
            {item}: {status}
          </li>
        ))}
      </ul>
      <Live since={since} types={['order_changed']} />
    </>
  );
}
