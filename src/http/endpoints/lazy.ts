import type { Endpoint, StreamStart } from '../endpoint.js';
import type { Incoming } from '../incoming.js';
import type { Reply } from '../reply.js';

interface Loaded extends Endpoint {
  stop?(): void;
}

/** An endpoint whose code is loaded with the first request for it. An app in which nobody asks for it never loads the code. */
export class LazyEndpoint implements Endpoint {
  readonly path: string;
  readonly methods: Endpoint['methods'];
  readonly #load: () => Promise<Loaded>;
  #loading: Promise<Loaded> | undefined;
  #stopped = false;

  constructor({ path, methods }: Pick<Endpoint, 'path' | 'methods'>, load: () => Promise<Loaded>) {
    this.path = path;
    this.methods = methods;
    this.#load = load;
  }

  async respond(incoming: Incoming): Promise<Reply | StreamStart> {
    // If loading fails, it is tried again with the next request.
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    });
    const endpoint = await this.#loading;
    if (this.#stopped) endpoint.stop?.();
    return endpoint.respond(incoming);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    const endpoint = await this.#loading?.catch(() => undefined);
    endpoint?.stop?.();
  }
}
