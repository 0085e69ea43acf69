import 'fastify';

declare module 'fastify' {
  interface Session {
    /** Who has logged in. */
    customer?: string;
  }
}
