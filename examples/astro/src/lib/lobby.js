// @ts-check
/** The page's own script. */
import djr from 'djr/browser';

const lobby = document.querySelector('#lobby');
if (lobby instanceof HTMLElement) {
  const { since = '', seal = '' } = lobby.dataset;
  /** @param {{ text: string }} detail */
  const say = ({ text }) => {
    const line = document.createElement('li');
    line.textContent = text;
    lobby.append(line);
  };
  /** @param {string} id @param {string} text */
  const show = (id, text) => document.querySelector(id)?.replaceChildren(text);
  addEventListener('djr:state', ({ detail }) => show('#stream', detail.state));
  djr.connect({ since });
  djr.subscribe('note', say);
  const room = djr.join('lobby', { seal, since });
  room.on('message', say);
  room.on('state', () => show('#room', room.state));
}
