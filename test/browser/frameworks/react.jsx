import { useConnection, useEvent, useRoom } from 'djr/react';
import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';

function Room({ topic }) {
  const { state, presence } = useRoom(topic, { on: { message: ({ n }) => log.push(`room ${n}`) } });
  return <p>{`${topic} ${state} ${presence?.count ?? '?'}`}</p>;
}

function Events() {
  const [count, setCount] = useState(0);
  useEvent('chat', ({ n }) => {
    // The count is the one of now, not that of the first rendering.
    log.push(`chat ${n} after ${count}`);
    setCount(count + 1);
  });
  useEvent('reset', ({ reason }) => log.push(`reset ${reason}`));
  return <p>{`count ${count}`}</p>;
}

function App({ since, topic }) {
  const { state, reset } = useConnection({ since });
  return (
    <>
      <p>{`stream ${state} ${reset ?? '-'}`}</p>
      <Events />
      <Room topic={topic} />
    </>
  );
}

window.log = [];
let root;
window.mount = (props) => {
  root ??= createRoot(document.body);
  root.render(
    <StrictMode>
      <App {...props} />
    </StrictMode>,
  );
};
window.unmount = () => {
  root.unmount();
  root = undefined;
};
