/** Every route of the API, in one table. */
import { campaignRoutes } from "./campaign-routes.ts";
import type { CampaignRouteParts } from "./campaign-routes.ts";
import { confirmationRoutes } from "./confirmation-routes.ts";
import { deviceRoutes } from "./device-routes.ts";
import type { DeviceRouteParts } from "./device-routes.ts";
import { exemptionRoutes } from "./exemption-routes.ts";
import type { ExemptionRouteParts } from "./exemption-routes.ts";
import { inventoryRoutes } from "./inventory-routes.ts";
import type { InventoryRouteParts } from "./inventory-routes.ts";
import { openApiOf } from "./openapi.ts";
import { previewRoutes } from "./preview-routes.ts";
import type { PreviewRouteParts } from "./preview-routes.ts";
import { defineRoute, noBody, nothing } from "./route.ts";
import type { Route } from "./route.ts";
import { systemRoutes } from "./system-routes.ts";
import type { SystemRouteParts } from "./system-routes.ts";
import * as z from "zod";

export type RouteParts = DeviceRouteParts &
  CampaignRouteParts &
  ExemptionRouteParts &
  PreviewRouteParts &
  InventoryRouteParts &
  SystemRouteParts;

export function createRoutes(parts: RouteParts): readonly Route[] {
  const routes: readonly Route[] = [
    ...systemRoutes(parts),
    ...deviceRoutes(parts),
    ...campaignRoutes(parts),
    ...confirmationRoutes(parts),
    ...exemptionRoutes(parts),
    ...previewRoutes(parts),
    ...inventoryRoutes(parts),
    defineRoute({
      method: "get",
      path: "/openapi.json",
      role: "viewer",
      tag: "system",
      summary: "This document",
      params: nothing,
      query: nothing,
      body: noBody,
      answers: { 200: { description: "OpenAPI 3.1.", schema: z.looseObject({ openapi: z.string() }) } },
      handle: async () => ({ httpStatus: 200, body: openApiOf(routes, parts.version) }),
    }),
  ];
  return routes;
}
