/** A push connector as the configuration has it. */
import { readFileSync } from "node:fs";
import type { ConnectorConfig } from "../../config/config.ts";
import type { ConnectorDeps, OpenedConnector } from "../registry.ts";
import { localKeys, remoteKeys } from "../rest/bearer-check.ts";
import type { BearerOptions } from "../rest/bearer-check.ts";
import { createPush } from "./push.ts";

type PushConfig = Extract<ConnectorConfig, { kind: "push" }>;

/** @throws where the file of keys cannot be read */
export function openPush(config: PushConfig, { remember, forget }: ConnectorDeps): OpenedConnector {
  const { name, secret, nextSecret, jwt, deliveriesPerMinute } = config;
  const secrets = [secret, nextSecret].flatMap((each) => each?.reveal() ?? []);
  const connector = createPush(
    { source: name, secrets, bearer: jwt === undefined ? undefined : bearerOf(jwt), deliveriesPerMinute },
    { remember, forget },
  );
  return { connector, close: () => undefined };
}

function bearerOf({ jwksUrl, jwksFile, issuer, audience }: NonNullable<PushConfig["jwt"]>): BearerOptions {
  const keys = jwksUrl === undefined ? localKeys(readFileSync(jwksFile ?? "", "utf8")) : remoteKeys(jwksUrl);
  return { keys, issuer, audience };
}
