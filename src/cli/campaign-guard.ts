/** The guard before an act: what would cut more phones than a campaign may needs a second, explicit yes. */
import type { Audit } from "../audit/audit.ts";
import { confirmationOf, guardRefusal } from "../campaign/guard.ts";
import { lookAtGuard } from "../campaign/guarded-act.ts";
import type { GuardedAct } from "../campaign/guarded-act.ts";
import { keepPreview } from "../campaign/kept-preview.ts";
import type { Preview } from "../campaign/preview-result.ts";
import type { Ledger, PolicyChange } from "../campaign/ledger.ts";
import type { Config } from "../config/config.ts";
import type { WrittenPolicy } from "../config/policy-document.ts";
import type { Store } from "../store/store.ts";
import { storeOptionsOf } from "../parts.ts";
import { CommandFailed } from "./exit.ts";
import { createPreviewCrew } from "./preview-crew.ts";
import { importantText } from "./preview-text.ts";
import { createProgress } from "./progress.ts";
import { print } from "./terminal.ts";

interface GuardedCommand {
  readonly config: Config;
  readonly store: Store;
  readonly ledger: Ledger;
  readonly audit: Audit;
}

interface Acting {
  readonly who: string;
  readonly why: string;
  readonly confirm?: number | undefined;
  readonly json?: boolean | undefined;
}

/**
 * Looks at the whole store where a campaign with a guard comes into force or asks for something else, and keeps what it saw for
 * the nodes. Acts that only let mail flow are never held up.
 * @throws CommandFailed with the figures, before anything was changed.
 */
export async function requireWithinGuard(
  { config, store, ledger, audit }: GuardedCommand,
  change: (written: WrittenPolicy) => PolicyChange,
  { who, why, confirm, json }: Acting,
): Promise<void> {
  const progress = createProgress(process.stderr);
  const crew = createPreviewCrew({ store, storeOptions: storeOptionsOf(config.store) });
  const looked = await lookAtGuard(change, {
    store,
    ledger,
    configured: config.policy,
    now: new Date(),
    important: config.preview.important,
    onProgress: (share, records) => progress.report(share, `${records} devices looked at`),
    crew,
  }).finally(() => {
    progress.end();
    crew?.end();
  });
  refuseUnlessConfirmed(looked, who, confirm);
  const { exceeded } = looked;
  if (exceeded.length > 0)
    await audit.append([
      {
        kind: "guard-confirmed",
        actor: who,
        why,
        about: exceeded.map(({ preview }) => preview.campaign),
        after: Object.fromEntries(exceeded.map(({ preview, check }) => [preview.campaign, `${check.cut} phones`])),
      },
    ]);
  for (const preview of looked.previews) {
    await keepPreview(store, preview, who);
    if (json === true) continue;
    print(
      `${preview.campaign}: ${preview.newlyCut} phones lose mail that they read today, ${preview.cut} are cut in all`,
    );
    for (const text of importantCut(preview)) print(text);
  }
}

function refuseUnlessConfirmed(
  { exceeded, toConfirm, needsSecondPerson }: GuardedAct,
  who: string,
  devices: number | undefined,
): void {
  if (toConfirm === undefined) return;
  const confirmed = confirmationOf(toConfirm, { devices, who });
  // Whoever runs a command chooses the name under which it acts, so two names here are not two persons.
  if (confirmed === "yes" && !needsSecondPerson) return;
  const words = exceeded.flatMap(({ preview, check }) => [
    guardRefusal(preview.campaign, check),
    ...importantCut(preview),
  ]);
  const wrong =
    confirmed === "other-number" ? [`--confirm ${devices} is another number than what would be cut now.`] : [];
  const next = needsSecondPerson
    ? "Nothing was changed. Another person has to confirm it, which only the admin API can tell: ask there."
    : `Nothing was changed. Look at who they are with campaign preview, and say --confirm ${toConfirm.cut} to go on.`;
  throw new CommandFailed(2, [...words, ...wrong, next].join("\n"));
}

/** Who must not be cut by surprise, and is. */
function importantCut({ important, importantMore }: Preview): string[] {
  const text = importantText({ important: important.filter(({ effect }) => effect === "cut"), importantMore });
  return text === undefined ? [] : [text];
}
