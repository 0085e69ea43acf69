import { useConnection, useEvent, useRoom } from 'djr/vue';
import { createApp, h, ref, shallowReactive } from 'vue';

const Room = {
  props: ['topic'],
  setup(props) {
    const room = useRoom(() => props.topic, { on: { message: ({ n }) => log.push(`room ${n}`) } });
    return () => h('p', `${props.topic} ${room.value.state} ${room.value.presence?.count ?? '?'}`);
  },
};

const Events = {
  setup() {
    const count = ref(0);
    useEvent('chat', ({ n }) => log.push(`chat ${n} after ${count.value++}`));
    useEvent('reset', ({ reason }) => log.push(`reset ${reason}`));
    return () => h('p', `count ${count.value}`);
  },
};

const App = {
  props: ['since', 'topic'],
  setup({ since }) {
    const connection = useConnection({ since });
    return () => h('p', `stream ${connection.value.state} ${connection.value.reset ?? '-'}`);
  },
};

window.log = [];
let app;
const props = shallowReactive({});
window.mount = (given) => {
  Object.assign(props, { since: undefined }, given);
  if (app) return;
  app = createApp({ render: () => [h(App, props), h(Events), h(Room, { topic: props.topic })] });
  app.mount(document.body);
};
window.unmount = () => {
  app.unmount();
  app = undefined;
};
