import { parts } from './load.js';

parts.topics = () => import('./topics/topics.js');

export * from './client.js';
export { default } from './client.js';
