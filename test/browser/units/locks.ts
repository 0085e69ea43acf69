interface Request {
  begin(): void;
  stolen(): void;
}

/** Web Locks, of which Node 20 has none: one holder a name, the others in line; who steals takes it away. */
export class Locks {
  readonly #holders = new Map<string, Request>();
  readonly #lines = new Map<string, Request[]>();

  request(
    name: string,
    { signal, steal }: { signal?: AbortSignal; steal?: boolean },
    call: () => Promise<void> | undefined,
  ): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const refuse = () => reject(new DOMException('It was taken away, or is not wanted any more.', 'AbortError'));
      if (signal?.aborted) return refuse();
      const request: Request = {
        stolen: refuse,
        begin: () => {
          this.#holders.set(name, request);
          queueMicrotask(() =>
            Promise.resolve(call()).then(() => {
              resolve();
              if (this.#holders.get(name) === request) this.#free(name);
            }),
          );
        },
      };
      const holder = this.#holders.get(name);
      if (steal) holder?.stolen();
      if (steal || !holder) return request.begin();
      this.#lines.set(name, [...(this.#lines.get(name) ?? []), request]);
      signal?.addEventListener('abort', () => {
        const line = this.#lines.get(name) ?? [];
        if (!line.includes(request)) return;
        this.#lines.set(
          name,
          line.filter((other) => other !== request),
        );
        refuse();
      });
    });
  }

  #free(name: string): void {
    this.#holders.delete(name);
    const [next, ...rest] = this.#lines.get(name) ?? [];
    this.#lines.set(name, rest);
    next?.begin();
  }
}
