'use client';

import { useConnection, useEvent, useRoom } from 'djr/react';
import { useState } from 'react';

export default function Lobby({ user, since, seal }) {
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
