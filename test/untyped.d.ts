/** Middlewares that bring no types, as far as the tests use them. */
type Middleware = import('express').RequestHandler;

declare module 'http-compression' {
  export default function compression(options?: { threshold?: number }): Middleware;
}

declare module 'compression' {
  export default function compression(options?: { threshold?: number }): Middleware;
}

declare module 'express-session' {
  interface SessionOptions {
    secret: string;
    resave: boolean;
    saveUninitialized: boolean;
    store?: unknown;
    cookie?: { httpOnly?: boolean; sameSite?: 'lax' };
  }
  export default function session(options: SessionOptions): Middleware;
  export class MemoryStore {
    get(id: string, callback: (error: unknown, session: unknown) => void): void;
    all(callback: (error: unknown, sessions: Record<string, Record<string, unknown>>) => void): void;
  }
}

declare module 'passport' {
  interface Strategy {
    name: string;
    authenticate(this: { success(user: object): void; pass(): void }, req: import('node:http').IncomingMessage): void;
  }
  type Done<Value> = (error: unknown, value?: Value) => void;
  class Passport {
    use(strategy: Strategy): void;
    authenticate(name: string, options: { session: false }): Middleware;
    session(): Middleware;
    serializeUser<User, Id>(serialize: (user: User, done: Done<Id>) => void): void;
    deserializeUser<User, Id>(deserialize: (id: Id, done: Done<User>) => void): void;
  }

  export { Passport };
}

declare namespace Express {
  /** By Passport. */
  interface Request {
    logIn(user: object, done: (error: unknown) => void): void;
    logOut(done: (error: unknown) => void): void;
  }
}

declare module 'gifenc' {
  type Palette = number[][];
  interface Options {
    palette: Palette;
    delay: number;
    transparent: boolean;
    transparentIndex: number;
    dispose: number;
  }
  interface Encoder {
    writeFrame(pixels: Uint8Array, width: number, height: number, options: Options): void;
    finish(): void;
    bytes(): Uint8Array;
  }
  const gifenc: {
    GIFEncoder(): Encoder;
    quantize(rgba: Uint8Array, colors: number): Palette;
    applyPalette(rgba: Uint8Array, palette: Palette): Uint8Array;
  };
  export default gifenc;
}

declare module 'semver' {
  const semver: { satisfies(version: string, range: string): boolean };
  export default semver;
}
