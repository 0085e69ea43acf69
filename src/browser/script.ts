import { client } from './client.js';
import { parts } from './load.js';
import { addressOf, documentHas, listen } from './page.js';

if (!client.scripted) {
  client.scripted = true;
  window.djr = window.DjangoRealtime = client;
  const script = documentHas<Element | null>('currentScript');
  const { endpoint, since, autoConnect, shareTabs, key, topics, seal } =
    script instanceof HTMLScriptElement ? script.dataset : {};
  const beside = addressOf(script?.getAttribute('src') || '/realtime/');
  // A classic script from another origin cannot use a relative import, so the address is made from the script tag.
  parts.topics = () => import(new URL('djr-topics.mjs', beside).href);
  const { defaults } = client;
  defaults.endpoint = addressOf(endpoint || new URL('sse/', beside).href).href;
  if (since) defaults.since = since;
  if (key) defaults.shareKey = key;
  defaults.shareTabs = shareTabs !== 'false';
  // Neither topics nor seals contain white space.
  const seals = seal?.split(' ') ?? [];
  for (const [place, topic] of (topics?.split(' ') ?? []).entries()) {
    // No `since` of its own: the attribute `data-since` applies to the whole stream.
    if (topic) client.join(topic, seals[place] ? { seal: seals[place] } : {});
  }
  if (autoConnect !== 'false') {
    let started = false;
    const start = () => {
      if (!started) window.djangoRealtimeConnection = client.connect();
      started = true;
    };
    if (documentHas('readyState') === 'complete') start();
    // It connects after all deferred scripts have run, so that they do not miss the first event.
    listen('DOMContentLoaded', start);
    listen('load', start);
  }
}
