import { useConnection, useEvent, useRoom } from 'djr/react';
import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';

const Login = () => (
  <form method="post" action="/login">
    <label>
      Your name <input name="name" required />
    </label>{' '}
    <button type="submit">Come in</button>
  </form>
);

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

const lobby = await (await fetch('/api/lobby')).json();
createRoot(document.querySelector('#app')).render(<StrictMode>{lobby ? <Lobby {...lobby} /> : <Login />}</StrictMode>);
