// @ts-nocheck: it is a page's script, whose module the server makes.
import { connect } from '/realtime/djr.mjs';

const user = new URLSearchParams(location.search).get('as') ?? '';
const element = (id) => document.getElementById(id);
element('who').textContent = user ? `${user[0].toUpperCase()}${user.slice(1)}` : 'a visitor';

element('events').tabIndex = 0; // It scrolls, also by keyboard.

addEventListener('djr:state', ({ detail }) => {
  element('state').textContent = detail.state;
});

const endpoint = `/realtime/sse/?${new URLSearchParams(user ? { as: user } : {})}`;
const connection = connect({
  endpoint,
  onMessage({ type, ...detail }) {
    const line = document.createElement('li');
    const name = document.createElement('strong');
    name.textContent = `djr:${type}`;
    const body = document.createElement('code');
    body.textContent = JSON.stringify(detail);
    line.append(name, ' ', body);
    element('events').prepend(line);
    while (element('events').children.length > 200) element('events').lastChild.remove();
  },
});

const { topic, seal } = await (await fetch(`/seal?${new URLSearchParams({ as: user })}`)).json();
const words = { joining: 'asks for', joined: 'is in', left: 'may not hear' };
const room = connection.join(topic, seal ? { seal } : {});
const show = () => {
  element('room').textContent = `${words[room.state]} ${topic}`;
};
// A join is a stream that begins anew, and there is no event for the moment when it stands.
setInterval(show, 250);
show();
