import { useConnection, useEvent, useRoom } from 'djr/react';
import { useState } from 'react';
import { Form, redirect } from 'react-router';
import { enterLobby } from '../lib/realtime.server.js';
import { commitSession, getSession, userOf } from '../lib/session.server.js';

export async function loader({ request }) {
  const user = await userOf(request);
  return user ? { user, ...(await enterLobby(user)) } : {};
}

export async function action({ request }) {
  const name = String((await request.formData()).get('name'));
  const session = await getSession(request.headers.get('cookie'));
  if (/^\w{1,30}$/.test(name)) session.set('user', name);
  return redirect('/', { headers: { 'Set-Cookie': await commitSession(session) } });
}

export default function Page({ loaderData }) {
  if (loaderData.user) return <Lobby {...loaderData} />;
  return (
    <Form method="post">
      <label>
        Your name <input name="name" required />
      </label>{' '}
      <button type="submit">Come in</button>
    </Form>
  );
}

function Lobby({ user, since, seal }) {
  const [lines, setLines] = useState([]);
  const say = ({ text }) => setLines((all) => [...all, text]);
  const { state } = useConnection({ since });
  const room = useRoom('lobby', { seal, since, on: { message: say } });
  useEvent('note', say);
  return (
    <>
      <h1>{user} is in the lobby</h1>
      <p>
        The stream is {state}, the room is {room.state}.
      </p>
      <ul aria-live="polite">
        {lines.map((line, index) => (
          <li key={index}>{line}</li>
        ))}
      </ul>
    </>
  );
}
