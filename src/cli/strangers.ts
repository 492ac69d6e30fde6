/** `postern device strangers`: ids that came to a gate with a good credential, and of which no record knows. */
import type { StrangerDecision } from "../inventory/strangers.ts";
import { createStrangers } from "../inventory/strangers.ts";
import { readWish } from "../inventory/registrations.ts";
import { createBindings } from "../inventory/bindings.ts";
import type { ManagedKey } from "../inventory/report.ts";
import type { LastRequest, Store } from "../store/store.ts";
import { requireConfig } from "./configuration.ts";
import type { ConfigurationOptions } from "./configuration.ts";
import { withStore } from "./store.ts";
import { jsonText, print, printable, spanText, toned } from "./terminal.ts";

export interface StrangersOptions extends ConfigurationOptions {
  readonly json?: boolean | undefined;
}

/** The newest first. With each the managed phones of its person, one of which it may be: `device bind` says which. */
export async function deviceStrangers(options: StrangersOptions): Promise<void> {
  const config = requireConfig(options);
  await withStore(config, async (store) => {
    const { homeDomains } = config.policy;
    const bindings = createBindings({
      store,
      appIds: () => [],
      homeDomains,
      ownerRequired: true,
      now: () => new Date(),
    });
    // For the list, whatever the configuration would do about them by itself.
    const join = { selfRegistration: "approve", outlookMobile: "refuse" } as const;
    const strangers = createStrangers({ store, bindings, join, homeDomains });
    const now = new Date();
    for (const request of await unknownStill(store)) {
      const phones = phonesIn(await strangers.look(request));
      const askedForAt = await askedFor(store, request);
      if (options.json === true) print(jsonText({ ...request, phones, askedForAt }));
      else print(textOf(request, phones, askedForAt, now));
    }
  });
}

/** One may have got a record since it was here. */
async function unknownStill(store: Store): Promise<readonly LastRequest[]> {
  const found: LastRequest[] = [];
  for await (const request of store.strangers()) {
    const { record } = await store.facts(request.spellings, undefined);
    if (record === undefined) found.push(request);
  }
  return found.toSorted((a, b) => b.at.getTime() - a.at.getTime());
}

/** When the person whose credential it was has said that it is their managed phone. */
async function askedFor(store: Store, { id, account }: LastRequest): Promise<Date | undefined> {
  const wish = await readWish(store, id);
  return wish?.account === account ? wish.at : undefined;
}

function phonesIn(decision: StrangerDecision | { readonly kind: "bound" }): readonly ManagedKey[] {
  return decision.kind === "ask"
    ? decision.devices.map(({ source, sourceDeviceId }) => ({ source, sourceDeviceId }))
    : [];
}

function textOf(
  { id, account, deviceType, program, at, firstAt = at }: LastRequest,
  phones: readonly ManagedKey[],
  askedForAt: Date | undefined,
  now: Date,
): string {
  const ago = (time: Date): string => `${spanText(Math.max(0, now.getTime() - time.getTime()))} ago`;
  const about = [account === "" ? "nobody" : account, deviceType ?? "-", program ?? "-"].map(printable);
  const head = [toned("strong", id), ...about, `first ${ago(firstAt)}`, `last ${ago(at)}`].join("\t");
  const bind = phones.map(({ source, sourceDeviceId }) =>
    printable(`  device bind ${id} --source ${source} --device ${sourceDeviceId}`),
  );
  const asked = askedForAt === undefined ? [] : [`  asked for by its owner ${ago(askedForAt)}`];
  return [head, ...asked, ...bind].join("\n");
}
