/** Taking the policy of the server (MS-ASPROV), once at the beginning and again whenever the server insists. */
import { child, element, has, text } from "../activesync/document.ts";
import type { Element } from "../activesync/wbxml.ts";
import type { CommandAnswer, CommandRequest, Exchange } from "./exchange.ts";
import type { Outcome } from "./outcome.ts";

interface PolicyAnswer {
  readonly commandStatus: number;
  /** Undefined where the answer holds no policy at all. */
  readonly policyStatus: number | undefined;
  readonly policyKey: string | undefined;
  readonly wipe: boolean;
}

/** `none`: the server has no policy for this phone and gives no key. */
export type Provisioned = { readonly policy: "accepted" | "none" };

const policyAccepted = 1;
const noPolicy = 2;
/** 142 not provisioned, 143 policy changed, 144 key not valid, 140 erase (which Provision then brings): MS-ASCMD 2.2.2. */
const demands: ReadonlySet<number> = new Set([140, 142, 143, 144]);

export async function provision(exchange: Exchange): Promise<Outcome<Provisioned>> {
  const { state } = exchange;
  state.policyKey = "0";
  const offer = await ask(exchange, undefined);
  if (offer.kind !== "ok") return offer;
  if (offer.policyStatus === noPolicy || offer.policyStatus === undefined) return finish(exchange, "none");
  if (offer.policyStatus !== policyAccepted || offer.policyKey === undefined) {
    return { kind: "command-status", command: "Provision", commandStatus: offer.policyStatus };
  }
  // The key of the offer is good for one thing: the acknowledgement that is exchanged for the final key.
  state.policyKey = offer.policyKey;
  const final = await ask(exchange, offer.policyKey);
  if (final.kind !== "ok") return final;
  if (final.policyStatus !== policyAccepted || final.policyKey === undefined) {
    state.policyKey = "0";
    return { kind: "command-status", command: "Provision", commandStatus: final.policyStatus ?? final.commandStatus };
  }
  state.policyKey = final.policyKey;
  return finish(exchange, "accepted");
}

async function finish(exchange: Exchange, policy: Provisioned["policy"]): Promise<Outcome<Provisioned>> {
  exchange.state.provisioned = true;
  if (exchange.dialect().deviceInformation === "settings") await introduce(exchange);
  return { kind: "ok", policy };
}

async function ask(exchange: Exchange, acknowledgedKey: string | undefined): Promise<Outcome<PolicyAnswer>> {
  const introduction = exchange.dialect().deviceInformation === "provision" && acknowledgedKey === undefined;
  const answer = await exchange.ask({
    command: "Provision",
    body: element(
      "Provision:Provision",
      introduction ? deviceInformation(exchange) : undefined,
      element(
        "Provision:Policies",
        element(
          "Provision:Policy",
          element("Provision:PolicyType", exchange.dialect().policyType),
          acknowledgedKey === undefined ? undefined : element("Provision:PolicyKey", acknowledgedKey),
          acknowledgedKey === undefined ? undefined : element("Provision:Status", "1"),
        ),
      ),
    ),
    read: readPolicy,
  });
  if (answer.kind === "empty") {
    return { kind: "ok", commandStatus: 1, policyStatus: undefined, policyKey: undefined, wipe: false };
  }
  if (answer.kind !== "answer") return answer;
  // Never acknowledged: whoever looks through the eyes of somebody's phone must not use up an order to erase it.
  if (answer.value.wipe) return { kind: "wipe" };
  if (answer.value.commandStatus !== 1) {
    return { kind: "command-status", command: "Provision", commandStatus: answer.value.commandStatus };
  }
  return { kind: "ok", ...answer.value };
}

function readPolicy(root: Element): PolicyAnswer {
  const policies = child(root, "Provision:Policies");
  const policy = policies && child(policies, "Provision:Policy");
  const policyStatus = policy && text(policy, "Provision:Status");
  return {
    commandStatus: Number(text(root, "Provision:Status") ?? "1"),
    policyStatus: policyStatus === undefined ? undefined : Number(policyStatus),
    policyKey: policy && text(policy, "Provision:PolicyKey"),
    wipe: has(root, "Provision:RemoteWipe") || has(root, "Provision:AccountOnlyRemoteWipe"),
  };
}

/** Up to 14.0 the phone introduces itself with Settings. Nothing depends on the answer, so a refusal is not reported. */
async function introduce(exchange: Exchange): Promise<void> {
  await exchange.ask({
    command: "Settings",
    body: element("Settings:Settings", deviceInformation(exchange)),
    read: () => undefined,
  });
}

function deviceInformation(exchange: Exchange): Element {
  const { identity } = exchange;
  return element(
    "Settings:DeviceInformation",
    element(
      "Settings:Set",
      element("Settings:Model", identity.deviceType),
      element("Settings:FriendlyName", `Postern phone ${identity.deviceId}`),
      element("Settings:OS", "Postern phone"),
      element("Settings:OSLanguage", identity.acceptLanguage?.split(/[,;]/u)[0] ?? "en"),
      exchange.dialect().version === "12.0" ? undefined : element("Settings:UserAgent", identity.userAgent),
    ),
  );
}

/** A demand for provisioning is met once, and the command is repeated: what every client does with 449 and 142 to 144. */
export function withProvisioning(exchange: Exchange): Exchange {
  return {
    ...exchange,
    async ask<Answer>(request: CommandRequest<Answer>): Promise<CommandAnswer<Answer>> {
      const first = await exchange.ask(request);
      if (request.command === "Provision" || !demandsProvisioning(first)) return first;
      const provisioned = await provision(exchange);
      if (provisioned.kind !== "ok") return provisioned;
      const second = await exchange.ask(request);
      return demandsProvisioning(second) ? { kind: "provisioning" } : second;
    },
  };
}

function demandsProvisioning(answer: CommandAnswer<unknown>): boolean {
  if (answer.kind === "provisioning") return true;
  return answer.kind === "answer" && demands.has(rootStatus(answer.root) ?? 1);
}

/** Every command has its own page, and on it its own Status. */
function rootStatus(root: Element): number | undefined {
  for (const part of root.content) {
    if (typeof part === "string" || part instanceof Uint8Array || !part.tag.endsWith(":Status")) continue;
    const [value] = part.content;
    return typeof value === "string" ? Number(value) : undefined;
  }
  return undefined;
}
