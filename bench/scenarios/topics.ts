import { djr, djrTopics, socketIoRooms } from '../systems/variants.js';
import { paced } from './paced.js';
import type { Scenario } from './scenario.js';

const among = (clients: number) => ({
  ...djrTopics(`among ${clients.toLocaleString('en')}`, clients / 10),
  clients,
});

/** The same work in Socket.IO, with its postgres adapter and rooms. */
const socketIoAmong = (clients: number) => ({
  ...socketIoRooms(`socket.io among ${clients.toLocaleString('en')}`, clients / 10),
  clients,
});

export const topics: Scenario = {
  name: 'topics',
  about:
    'Events for one topic each, 200 a second, each to 10 clients: with these 10 connected, and with 10,000 in 1,000 topics.',
  size: { clients: 10, seconds: 5, rounds: 3 },
  variants: [{ ...among(10), floor: true }, among(10_000), socketIoAmong(10), socketIoAmong(10_000)],
  columns: ['p50', 'p90', 'p99', 'max', 'cpu', 'late'],
  ratios: ['p50', 'p99', 'cpu'],
  long: true,
  run: (round) => paced(round, 200),
};

export const topicToMany: Scenario = {
  name: 'topic-to-many',
  about: '1,000 clients, 20 events a second to everyone, as public events and as events of one topic that all hear.',
  size: { clients: 1000, seconds: 5, rounds: 5 },
  variants: [{ ...djr, name: 'public', floor: true }, djrTopics('topic', 1)],
  columns: ['p50', 'p99', 'cpu', 'heapEach', 'late'],
  ratios: ['cpu', 'p50'],
  long: true,
  run: (round) => paced(round, 20),
};
