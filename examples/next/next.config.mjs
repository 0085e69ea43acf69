/** @type {{ serverExternalPackages: string[], skipTrailingSlashRedirect: boolean, compress: boolean }} */
export default {
  // It reads its own files and holds connections: Node loads it, no bundler.
  serverExternalPackages: ['djr', 'pg'],
  // The stream is at /realtime/sse/.
  skipTrailingSlashRedirect: true,
  // Next would collect a stream's frames to compress them; leave that to the proxy.
  compress: false,
};
