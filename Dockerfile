# `djr serve` in a container. It was not built where it was written, as there is no container engine there.
#
#   docker build -t djr .
#   docker run -e DATABASE_URL=postgres://… -p 8000:8000 djr

FROM node:24-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && npm pack --ignore-scripts --pack-destination /

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /djr-*.tgz /tmp/djr.tgz
RUN npm install --no-audit --no-fund /tmp/djr.tgz && rm /tmp/djr.tgz
USER node
EXPOSE 8000
# The process hears SIGTERM itself: no shell and no npm stands before it. Streams end, and it exits with 0.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8000/realtime/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "node_modules/djr/dist/cli/main.js"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
