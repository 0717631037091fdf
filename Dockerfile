# One replica of `keypool-mcp serve --http`. The home folder with the key store is the volume.
FROM node:22-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json ./
COPY src ./src
RUN npm run build

FROM node:22-slim
ENV NODE_ENV=production \
    KEYPOOL_HOME=/data
# package.json says that these are ES modules.
COPY --from=build /build/package.json /app/package.json
COPY --from=build /build/dist /app/dist
# The volume takes over owner and mode of the folder that it is laid on.
RUN mkdir /data && chown node:node /data && chmod 700 /data
USER node
VOLUME /data
EXPOSE 8787
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8787/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/cli.js"]
CMD ["serve", "--http", "--host", "0.0.0.0"]
