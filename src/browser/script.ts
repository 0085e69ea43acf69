import djr, { connect } from './client.js';
import { defaults } from './defaults.js';

/** A page that swaps its content may run the script again: events would come twice. */
if (!window.DjangoRealtime) {
  window.djr = window.DjangoRealtime = djr;
  const script = document.currentScript as HTMLScriptElement | null;
  const { endpoint, since, autoConnect, shareTabs, key } = script?.dataset ?? {};
  defaults.endpoint = endpoint || new URL('sse/', script?.src || new URL('/realtime/', location.href)).href;
  defaults.since = since;
  defaults.shareKey = key;
  defaults.shareTabs = shareTabs !== 'false';
  if (autoConnect !== 'false') {
    // Not before other deferred scripts have run: they want to hear the first event.
    const start = () => {
      removeEventListener('load', start);
      document.removeEventListener('DOMContentLoaded', start);
      window.djangoRealtimeConnection = connect();
    };
    if (document.readyState === 'complete') start();
    else {
      document.addEventListener('DOMContentLoaded', start);
      addEventListener('load', start);
    }
  }
}
