/** The steps of a sequence: what the person, the phone, the operator and the world may do next. Each prints as a sentence. */
import fc from "fast-check";
import * as documents from "./documents.ts";
import { folderNamed, writtenMark } from "./mailbox.ts";
import type { Folder, Item, Letter } from "./mailbox.ts";
import type { ModelPhone, Way } from "./phone.ts";
import { lookAtEverything } from "./refresh.ts";
import type { NodeIndex } from "./air.ts";
import type { Expected, Facts, World } from "./world.ts";
import { mailMark } from "./world.ts";

/** What a step may touch. */
export interface Stage {
  readonly world: World;
  readonly phone: ModelPhone;
  /** The most requests that one folder took until nothing was new in it. */
  mostRequests: number;
}

export type Step = fc.AsyncCommand<object, Stage>;

function step(sentence: string, run: (stage: Stage) => Promise<void>): Step {
  return {
    check: () => true,
    async run(_model, stage): Promise<void> {
      stage.phone.diary.push(`- ${sentence}`);
      await run(stage);
      await stage.phone.hearNews();
      stage.phone.checkEverything();
    },
    toString: () => sentence,
  };
}

const node: fc.Arbitrary<NodeIndex> = fc.constantFrom(0, 1);
const way: fc.Arbitrary<Way> = fc.record({
  node,
  lose: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});
const via = ({ node: index, lose }: Way): string =>
  `at gate ${index === 0 ? "A" : "B"}${lose ? ", and the answer is lost" : ""}`;

const folderNames = ["Inbox", "Projects", "Calendar", "Contacts", "Drafts", "Sent Items"] as const;
const folders = fc.uniqueArray(fc.constantFrom(...folderNames), { minLength: 1, maxLength: 4 });
const named = ({ phone }: Stage, names: readonly string[]): Folder[] =>
  names.map((name) => folderNamed(phone.mailbox, name)).filter((folder) => folder !== undefined);

const syncs = fc
  .record({
    names: folders,
    way,
    afresh: fc.boolean(),
    getChanges: fc.constantFrom(true, true, true, false),
    windowSize: fc.constantFrom(50, 50, 1),
  })
  .map(({ names, way, afresh, getChanges, windowSize }) => {
    const how = [
      ...(afresh ? ["not repeating what was lost"] : []),
      ...(getChanges ? [] : ["uploading only"]),
      ...(windowSize === 1 ? ["one item at a time"] : []),
    ];
    return step(`the phone synchronises ${[names.join(" and "), ...how].join(", ")} ${via(way)}`, async (stage) => {
      const list = named(stage, names);
      if (list.length > 0) await stage.phone.sync(list, way, { afresh, getChanges, windowSize });
    });
  });

const emptySyncs = way.map((way) =>
  step(`the phone sends an empty Sync ${via(way)}`, async ({ phone }) => void (await phone.syncEmpty(way))),
);

const partialSyncs = fc.record({ name: fc.constantFrom(...folderNames), way }).map(({ name, way }) =>
  step(`the phone sends a partial Sync of ${name} ${via(way)}`, async (stage) => {
    const [folder] = named(stage, [name]);
    if (folder !== undefined) await stage.phone.syncPartial(folder, way);
  }),
);

const folderSyncs = way.map((way) =>
  step(`the phone asks for its folders ${via(way)}`, async ({ phone }) => void (await phone.folderSync(way))),
);

const waits = fc.record({ what: fc.constantFrom("ping", "sync"), names: folders, node }).map(({ what, names, node }) =>
  step(`the phone waits with a ${what} for ${names.join(" and ")} at gate ${node === 0 ? "A" : "B"}`, async (stage) => {
    await stage.phone.startWaiting(what, named(stage, names), node);
  }),
);

const looks = node.map((node) =>
  step(`the phone looks at everything until nothing is new, first at gate ${node === 0 ? "B" : "A"}`, look(node)),
);

export function look(node: NodeIndex): (stage: Stage) => Promise<void> {
  return async (stage) => {
    const { mostRequests } = await lookAtEverything(stage.world, stage.phone, node);
    stage.mostRequests = Math.max(stage.mostRequests, mostRequests);
  };
}

/** The nth item that fits, counted around. */
function pick(folder: Folder | undefined, nth: number, fits: (item: Item) => boolean): string | undefined {
  const ids = [...(folder?.items ?? [])].filter(([, item]) => fits(item)).map(([id]) => id);
  return ids[nth % Math.max(1, ids.length)];
}

const nth = fc.nat({ max: 3 });
const isMail = ({ isNotice }: Item): boolean => !isNotice;
const isNotice = ({ isNotice }: Item): boolean => isNotice;

const reads = fc.record({ nth, read: fc.boolean() }).map(({ nth, read }) =>
  step(`the person marks message ${nth} of the Inbox as ${read ? "read" : "unread"}`, async ({ phone }) => {
    const inbox = folderNamed(phone.mailbox, "Inbox");
    const id = pick(inbox, nth, isMail);
    mark(phone, inbox, id, read);
  }),
);

const readsNotice = fc.constant(
  step("the person reads the notice", async ({ phone }) => {
    const inbox = folderNamed(phone.mailbox, "Inbox");
    mark(phone, inbox, pick(inbox, 0, isNotice), true);
  }),
);

function mark(phone: ModelPhone, folder: Folder | undefined, id: string | undefined, read: boolean): void {
  const item = id === undefined ? undefined : folder?.items.get(id);
  if (folder === undefined || id === undefined || item === undefined) return;
  folder.items.set(id, { ...item, read });
  phone.queue({ kind: "read", folder: folder.id, item: id, read });
}

const deletes = fc
  .record({ name: fc.constantFrom("Inbox", "Projects", "Calendar", "Contacts", "Sent Items"), nth })
  .map(({ name, nth }) =>
    step(`the person deletes item ${nth} of ${name}`, async (stage) => {
      const [folder] = named(stage, [name]);
      remove(stage.phone, folder, pick(folder, nth, isMail));
    }),
  );

const deletesNotice = fc.constant(
  step("the person deletes the notice", async ({ phone }) => {
    const inbox = folderNamed(phone.mailbox, "Inbox");
    remove(phone, inbox, pick(inbox, 0, isNotice));
  }),
);

function remove(phone: ModelPhone, folder: Folder | undefined, id: string | undefined): void {
  if (folder === undefined || id === undefined) return;
  folder.items.delete(id);
  phone.queue({ kind: "delete", folder: folder.id, item: id });
}

const adds = fc.constantFrom("calendar", "contacts").map((folder) =>
  step(`the person adds an entry to the ${folder}`, async ({ phone }) => {
    const number = phone.nextNumber();
    phone.queue({ kind: "add", folder, clientId: `client${number}`, subject: `${writtenMark} ${number}.` });
  }),
);

const changes = nth.map((nth) =>
  step(`the person moves event ${nth} to another room`, async ({ phone }) => {
    const calendar = folderNamed(phone.mailbox, "Calendar");
    const id = pick(calendar, nth, () => true);
    const item = id === undefined ? undefined : calendar?.items.get(id);
    if (id === undefined || item === undefined) return;
    const location = `Room ${phone.nextNumber()}`;
    calendar?.items.set(id, { ...item, location });
    phone.queue({ kind: "change", folder: "calendar", item: id, location });
  }),
);

const writes = way.map((way) =>
  step(`the person writes a mail, which the phone sends ${via(way)}`, async ({ phone }) => {
    await write(phone, undefined, way);
  }),
);

const replies = fc
  .record({ what: fc.constantFrom("the notice", "the notice", "a message"), nth, way })
  .map(({ what, nth, way }) =>
    step(`the person answers ${what}, and the phone sends it ${via(way)}`, async ({ phone }) => {
      const inbox = folderNamed(phone.mailbox, "Inbox");
      const item = pick(inbox, nth, what === "a message" ? isMail : isNotice);
      if (inbox !== undefined && item !== undefined) await write(phone, { folder: inbox.id, item }, way);
    }),
  );

async function write(phone: ModelPhone, about: Letter["about"], way: Way): Promise<void> {
  const number = phone.nextNumber();
  const letter: Letter = { clientId: `letter${number}`, subject: `${writtenMark} ${number}.`, about, tries: 0 };
  phone.mailbox.outbox.push(letter);
  phone.mailbox.letters.push(letter);
  await phone.send(letter, way);
}

const provisions = fc
  .record({ first: node, second: node, lose: fc.boolean() })
  .map(({ first, second, lose }) =>
    step(
      `the phone takes its policy at gate ${first === 0 ? "A" : "B"}${lose ? ", and the answer is lost" : ""}`,
      async ({ phone }) => void (await phone.provision(first, second, lose)),
    ),
  );

const sends = way.map((way) =>
  step(`the phone tries its outbox again ${via(way)}`, async ({ phone }) => {
    const [letter] = phone.mailbox.outbox;
    if (letter !== undefined) await phone.send(letter, way);
  }),
);

const moves = fc
  .record({ what: fc.constantFrom("a message", "the notice", "a message and the notice"), nth, way })
  .map(({ what, nth, way }) =>
    step(`the person moves ${what} to Projects ${via(way)}`, async ({ phone }) => {
      const inbox = folderNamed(phone.mailbox, "Inbox");
      const projects = folderNamed(phone.mailbox, "Projects");
      const ids = [
        what === "the notice" ? undefined : pick(inbox, nth, isMail),
        what === "a message" ? undefined : pick(inbox, 0, isNotice),
      ].filter((id) => id !== undefined);
      if (inbox === undefined || projects === undefined || ids.length === 0) return;
      await phone.move(ids, inbox, projects, way);
    }),
  );

/** Questions whose answers the phone only shows. What it asks about may be gone, or be the notice. */
const asks = fc
  .record({ what: fc.constantFrom("fetches two items", "searches", "asks how much is new"), nth, way })
  .map(({ what, nth, way }) =>
    step(`the phone ${what} ${via(way)}`, async ({ phone }) => {
      const inbox = folderNamed(phone.mailbox, "Inbox");
      if (inbox === undefined) return;
      switch (what) {
        case "fetches two items": {
          const ids = [pick(inbox, nth, () => true) ?? "5:1", pick(inbox, nth + 1, () => true) ?? "5:2"];
          return phone.askOnly("ItemOperations", documents.fetchDocument(ids.map((id) => [inbox.id, id])), way);
        }
        case "searches":
          return phone.askOnly("Search", documents.searchDocument(inbox.id), way);
        case "asks how much is new":
          if (inbox.key === "0") return;
          return phone.askOnly("GetItemEstimate", documents.estimateDocument(inbox, phone.version), way);
      }
    }),
  );

async function reports({ world, phone }: Stage, change: Partial<Facts>): Promise<void> {
  // Nobody can write while the store is away.
  if (world.storeIsAway()) return;
  const before: Expected = world.expected();
  await world.report(change);
  if ((before === "quarantine") !== (world.expected() === "quarantine")) await phone.assertWaitingEnds();
  await phone.letWaitingEnd();
}

const changesOfFacts = fc.constantFrom<readonly [string, Partial<Facts>]>(
  ["no banned app is left", { apps: "none", source: "compliant", override: "none" }],
  ["no banned app is left", { apps: "none", source: "compliant", override: "none" }],
  ["a banned app is found", { apps: "banned" }],
  ["a banned app is found", { apps: "banned", override: "none" }],
  ["an app is found that will be banned in years", { apps: "announced" }],
  ["an app is found that is banned from noon on", { apps: "due" }],
  ["the source says non-compliant", { source: "noncompliant" }],
  ["the source says compliant", { source: "compliant" }],
  ["an operator lets the phone through", { override: "allow" }],
  ["an operator blocks the phone", { override: "block" }],
  ["the operator takes it back", { override: "none" }],
);

const verdicts = changesOfFacts.map(([sentence, change]) => step(sentence, (stage) => reports(stage, change)));

/** What waits is where a change of verdict matters most, so the two come together often. */
const cuts = fc
  .record({ what: fc.constantFrom("ping", "sync"), names: folders, node, facts: changesOfFacts })
  .map(({ what, names, node, facts: [sentence, change] }) =>
    step(
      `${sentence}, while the phone waits with a ${what} for ${names.join(" and ")} at gate ${node === 0 ? "A" : "B"}`,
      async (stage) => {
        await stage.phone.startWaiting(what, named(stage, names), node);
        await reports(stage, change);
      },
    ),
  );

const rewords = fc.constant(
  step("the notice gets other words", (stage) => reports(stage, { wording: stage.world.facts().wording + 1 })),
);

const clock = fc.constantFrom("a minute on", "a day on", "past the deadline").map((to) =>
  step(`the clock goes ${to}`, async ({ world, phone }) => {
    // Timers do not know of the clock that is moved here: what waits would wait on.
    await phone.stopWaiting();
    world.moveClock(to);
  }),
);

const restarts = node.map((node) =>
  step(`gate ${node === 0 ? "A" : "B"} is stopped and started anew`, async ({ world, phone }) => {
    await world.restart(node);
    await phone.letWaitingEnd();
  }),
);

const outages = fc.constant(
  step("the store goes away, or comes back", async ({ world }) => {
    if (world.storeIsAway()) world.storeComesBack();
    else world.storeGoesAway();
  }),
);

const arrivals = fc.constantFrom("Inbox", "Projects").map((folder) =>
  step(`mail arrives in ${folder}`, async ({ world, phone }) => {
    world.upstream.deliver("alice", {
      from: "Carol Clerk <carol@corp.example>",
      subject: `${mailMark} ${phone.nextNumber()}.`,
      text: `${mailMark} text`,
      folder,
    });
  }),
);

export const steps = (maxCommands: number, replayPath?: string): fc.Arbitrary<Iterable<Step>> =>
  fc.commands<object, Stage, false>(
    [
      syncs,
      syncs,
      syncs,
      syncs,
      looks,
      looks,
      verdicts,
      verdicts,
      verdicts,
      verdicts,
      waits,
      cuts,
      cuts,
      arrivals,
      emptySyncs,
      partialSyncs,
      folderSyncs,
      reads,
      readsNotice,
      deletes,
      deletesNotice,
      adds,
      changes,
      writes,
      replies,
      provisions,
      sends,
      moves,
      asks,
      rewords,
      clock,
      restarts,
      outages,
    ],
    { maxCommands, size: "max", ...(replayPath === undefined ? {} : { replayPath }) },
  );
