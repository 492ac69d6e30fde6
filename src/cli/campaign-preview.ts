/** `postern campaign preview` and `report`: see before you pull, and afterwards what came of it. */
import { once } from "node:events";
import { userInfo } from "node:os";
import { isInFile } from "../campaign/live-policy.ts";
import { keepPreview, readKeptPreview } from "../campaign/kept-preview.ts";
import { previewFile } from "../campaign/preview-change.ts";
import type { PreviewedPhone } from "../campaign/preview-result.ts";
import { readEffects } from "../campaign/tally-names.ts";
import { storeOptionsOf } from "../parts.ts";
import { requirePolicyFile } from "./campaign.ts";
import type { ConfigurationOptions } from "./configuration.ts";
import { csvRow } from "./csv.ts";
import { CommandFailed } from "./exit.ts";
import { withLedger } from "./policy-command.ts";
import { createPreviewCrew } from "./preview-crew.ts";
import { previewText } from "./preview-text.ts";
import { createProgress } from "./progress.ts";
import { reportText } from "./report-text.ts";
import { print, printable } from "./terminal.ts";

export interface PreviewCommandOptions extends ConfigurationOptions {
  readonly json?: boolean | undefined;
  readonly csv?: boolean | undefined;
  readonly important?: readonly string[] | undefined;
}

export async function campaignPreview(file: string, options: PreviewCommandOptions): Promise<void> {
  if (options.json === true && options.csv === true) throw new CommandFailed(2, "say either --json or --csv");
  await withLedger(options, async ({ config, store, ledger }) => {
    const { policy } = requirePolicyFile(file, config.policy.stances);
    if (policy.campaigns.length === 0) throw new CommandFailed(2, `${printable(file)} has no campaigns`);
    const progress = createProgress(process.stderr);
    const crew = createPreviewCrew({ store, storeOptions: storeOptionsOf(config.store) });
    if (options.csv === true) await beginCsv();
    const previews = await previewFile(policy, {
      store,
      ledger,
      configured: config.policy,
      now: new Date(),
      important: [...config.preview.important, ...(options.important ?? [])],
      onProgress: (share, records) => progress.report(share, `${records} devices looked at`),
      onPhone: options.csv === true ? (phone) => write(phoneRow(phone)) : undefined,
      crew,
    }).finally(() => {
      progress.end();
      crew?.end();
    });
    for (const preview of previews) await keepPreview(store, preview, userInfo().username);
    if (options.csv === true) return;
    print(options.json === true ? JSON.stringify(previews, null, 2) : previews.map(previewText).join("\n\n"));
  });
}

const csvColumns = [
  "campaign",
  "device",
  "owner",
  "email",
  "region",
  "groups",
  "platform",
  "osVersion",
  "effect",
  "mailStops",
  "reason",
  "heldToday",
  "activeLastHour",
  "important",
] as const;

/** Of a phone without a record the name is that of its credential. */
function phoneRow({ id, record, person, outcome, isActive, isImportant }: PreviewedPhone): string {
  const { campaign, effect, from, reason, isCutToday } = outcome;
  const stops = effect === "cut" ? (from?.toISOString() ?? "at once") : undefined;
  return csvRow([
    campaign,
    id,
    record === undefined ? person?.account : record.owner,
    record?.email,
    record?.region,
    record?.groups.join(" "),
    record?.platform,
    record?.osVersion,
    effect,
    stops,
    reason,
    isCutToday || effect === "held" ? "yes" : "no",
    isActive ? "yes" : "no",
    isImportant ? "yes" : "no",
  ]);
}

async function beginCsv(): Promise<void> {
  // Whoever reads the rows has seen enough, as `head` has.
  process.stdout.once("error", () => process.exit(0));
  await write(csvRow(csvColumns));
}

/** A million rows wait for whoever reads them, rather than in memory. */
async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, "drain");
}

export async function campaignReport(
  id: string,
  options: ConfigurationOptions & { readonly json?: boolean },
): Promise<void> {
  await withLedger(options, async ({ config, store, ledger }) => {
    const { campaigns } = isInFile(config.policy) ? config.policy : (await ledger.read()).policy;
    const campaign = campaigns.find((each) => each.id === id);
    if (campaign === undefined) throw new CommandFailed(1, `there is no campaign ${printable(id)}`);
    const [wouldBe, was, kept, versions] = [
      await readEffects(store, campaign, true),
      await readEffects(store, campaign, false),
      await readKeptPreview(store, id),
      await ledger.history(HISTORY_READ_LIMIT),
    ];
    const acts = versions
      .filter(({ about }) => about.includes(id))
      .map(({ version, at, act, who, why }) => ({ version, at, act, who, why }));
    const report = { campaign: id, title: campaign.title, mode: campaign.mode, wouldBe, was, preview: kept, acts };
    print(options.json === true ? JSON.stringify(report, null, 2) : reportText(campaign, report));
  });
}

/** As many acts as explain the figures. */
const HISTORY_READ_LIMIT = 100;
