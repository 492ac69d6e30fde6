# Two stages: one that has the compiler and leaves only dist/ behind, one that has what the program needs to run.
# test/real/image.real.ts carries out each line of this file in a folder, and starts what comes of it.

FROM node:26.10.0-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# The image has the right Node already, so nothing that a package wants to run at its installation is needed.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build

FROM node:26.10.0-slim
WORKDIR /app
COPY package.json package-lock.json LICENSE ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force
COPY --from=build /app/dist ./dist
COPY config ./config
ENV NODE_ENV=production
# All that it writes to. The root may be read-only.
RUN install -d -o 10001 -g 10001 -m 0700 /data /secrets
# A number, so that Kubernetes can see that it is not root (runAsNonRoot).
USER 10001:10001
VOLUME ["/data", "/secrets"]
# Mail (8080, or 8443 with TLS) and admin. What the configuration says counts; this is documentation.
EXPOSE 8080 8443 8081
# The configuration lies in the root because relative paths begin beside it: the defaults data/postern.db and
# secrets/installation are then in the two volumes.
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s --retries=3 \
  CMD ["node", "/app/dist/main.js", "health", "--config", "/postern.yaml"]
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["serve", "--config", "/postern.yaml"]
