/** The phone looks at everything until nothing is new: in how many requests, and what it then shows. */
import assert from "node:assert/strict";
import type { NodeIndex } from "./air.ts";
import { folderOf } from "./mailbox.ts";
import type { Folder } from "./mailbox.ts";
import { isOurItem } from "./phone.ts";
import type { ModelPhone } from "./phone.ts";
import type { World } from "./world.ts";

/**
 * Requests for one folder until nothing is new in it: refused key, key 0, content, a look whether that was all; one for what
 * was lost on the way, one for what is uploaded, two for a notice that comes or goes.
 */
const requestsPerFolder = 8;
/** Pings until one is held: a phone is sent to look at most three times for the same thing. */
const pingsUntilHeld = 5;
/** A person who deletes the notice of a warning has a day without it. */
const dismissedMs = 86_400_000;

interface Looked {
  /** Of the folder that took the most. */
  readonly mostRequests: number;
}

export async function lookAtEverything(world: World, phone: ModelPhone, startNode: NodeIndex): Promise<Looked> {
  let node = startNode;
  const way = () => {
    node = node === 0 ? 1 : 0;
    return { node, lose: false };
  };
  const { mailbox } = phone;
  await phone.stopWaiting();
  let mostRequests = 0;

  if (phone.hasLost()) await phone.sync([], way());
  if (mailbox.foldersStale) await phone.folderSync(way());
  for (const letter of mailbox.outbox) {
    const answered = letter.about;
    const isGone = !(await phone.send(letter, way())) && letter.about !== answered;
    if (isGone) await phone.send(letter, way());
  }
  for (const folder of mailbox.folders.values()) mostRequests = Math.max(mostRequests, await lookInto(folder));
  if (!world.storeIsAway()) {
    await assertRests();
    assertShows(world, phone);
  }
  return { mostRequests };

  async function lookInto(folder: Folder): Promise<number> {
    for (let requests = 1; ; requests += 1) {
      assert.ok(requests <= requestsPerFolder, `${folder.name} has no end after ${requestsPerFolder} requests`);
      const news = await phone.sync([folder], way());
      if (news.kind === "unavailable" || news.kind === "folders") return requests;
      const said = news.kind === "answered" ? news.folders.get(folder) : "news";
      if (said === "held" || (said === "quiet" && !hasUploads(folder))) return requests;
    }
  }

  function hasUploads(folder: Folder): boolean {
    return mailbox.pending.some((upload) => folderOf(mailbox, upload) === folder);
  }

  /** On each gate, for each has its own memory of how often the phone was sent to look. */
  async function assertRests(): Promise<void> {
    for (const each of [0, 1] as const) {
      for (let pings = 1; ; pings += 1) {
        const news = await phone.startWaiting("ping", [...mailbox.folders.values()], each);
        await phone.stopWaiting();
        if (news === "parked" || news === "unavailable") break;
        assert.ok(pings < pingsUntilHeld, `gate ${each} sends the phone to look ${pings} times, and there is nothing`);
        for (const folder of mailbox.folders.values()) await lookInto(folder);
      }
    }
  }
}

function assertShows(world: World, phone: ModelPhone): void {
  const { mailbox } = phone;
  const upstream = world.upstream.mailbox("alice");
  const expected = world.expected();
  for (const folder of mailbox.folders.values()) {
    const notices = [...folder.items].filter(([, { isNotice }]) => isNotice).map(([id]) => id);
    const others = [...folder.items].filter(([id]) => !notices.includes(id));
    for (const id of notices) assert.ok(isOurItem(id), `the notice has the id ${id}`);
    const isInbox = folder.name === "Inbox";
    if (!isInbox || expected === "allow") assert.deepEqual(notices, [], `a notice in ${folder.name}`);
    else assertNotice(notices, folder);

    if (expected === "quarantine") {
      if (folder.isReset) assert.deepEqual(others, [], `${folder.name} shows mail in quarantine`);
      continue;
    }
    const there = [
      ...upstream.messages
        .filter(({ folderId }) => folderId === folder.id)
        .map(({ id, message, read }) => [id, message.subject, read, undefined] as const),
      ...(folder.kind === "calendar"
        ? upstream.calendar.map(({ id, subject, location }) => [id, subject, false, location] as const)
        : []),
      ...(folder.kind === "contacts"
        ? upstream.contacts.map(({ id, name }) => [id, name, false, undefined] as const)
        : []),
    ];
    assert.deepEqual(
      others.map(([id, { subject, read, location }]) => [id, subject, read, location] as const).toSorted(byId),
      there.toSorted(byId),
      `${folder.name} on the phone is not what is upstream`,
    );
  }
  if (expected === "quarantine") return;
  assert.deepEqual(mailbox.pending, [], "what was done on the phone has not gone up");
  assert.deepEqual(mailbox.outbox, [], "what was written on the phone has not gone out");

  function assertNotice(notices: readonly string[], folder: Folder): void {
    const { deletedNotice } = phone;
    const mayBeGone = deletedNotice !== undefined && world.now().getTime() - deletedNotice < dismissedMs;
    assert.ok(
      notices.length === 1 || (notices.length === 0 && mayBeGone),
      `${notices.length} notices in ${folder.name}: ${expected}`,
    );
  }
}

function byId(a: readonly [string, ...unknown[]], b: readonly [string, ...unknown[]]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}
