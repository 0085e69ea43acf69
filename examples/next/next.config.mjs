/** @type {import('next').NextConfig} */
export default {
  // The stream is at /realtime/sse/.
  skipTrailingSlashRedirect: true,
  // The Dockerfile beside this file asks for `standalone`.
  output: process.env.NEXT_OUTPUT === 'standalone' ? 'standalone' : undefined,
};
