/** Acts on several keys, as the rest of Postern sees them: checked on their way in, and told to whoever waits. */
import type { DeviceId } from "../policy/device.ts";
import type { Backend, Stored } from "./backend.ts";
import { DOCUMENT_NAME_LIMIT, toldDocuments } from "./documents.ts";
import type { Act, DocumentStore, Fields, FieldsChange, FieldsKey, ToldDocumentKind } from "./documents.ts";

export interface ActEvents {
  readonly changed: (id: DeviceId) => void;
  readonly documentChanged: (kind: ToldDocumentKind, name: string) => void;
}

export function documentsOf(
  backend: Pick<Backend, "readDocuments" | "documents" | "transact">,
  events: ActEvents,
): DocumentStore {
  async function* documents(...of: Parameters<DocumentStore["documents"]>): AsyncGenerator<readonly [string, Fields]> {
    for await (const page of backend.documents(...of)) {
      for (const [name, stored] of page) {
        const fields = fieldsIn(stored);
        // What was removed since its name was listed is not there.
        if (fields !== undefined) yield [name, fields];
      }
    }
  }

  async function transact<T>(
    keys: readonly FieldsKey[],
    decide: (stored: readonly (Fields | undefined)[]) => Act<T>,
  ): Promise<T> {
    for (const key of keys) checkName(key);
    const named = new Set(keys.map(spell));
    let changes: readonly FieldsChange[] = [];
    try {
      return await backend.transact(keys, (stored) => {
        const act = decide(stored.map(fieldsIn));
        const stranger = act.changes.find(({ key }) => !named.has(spell(key)));
        if (stranger !== undefined) throw new RangeError(`an act changed ${stranger.key.kind} without having named it`);
        ({ changes } = act);
        return act;
      });
    } finally {
      // Even an act that failed may have been done: the answer is what was lost.
      for (const { key } of changes) tell(key);
    }
  }

  function tell(key: FieldsKey): void {
    if ("id" in key) return events.changed(key.id);
    const told = toldDocuments.find((kind) => kind === key.kind);
    if (told !== undefined) events.documentChanged(told, key.name);
  }

  return {
    readDocuments: async (keys) => {
      for (const key of keys) checkName(key);
      return (await backend.readDocuments(keys)).map(fieldsIn);
    },
    documents,
    transact,
  };
}

function fieldsIn(stored: Stored): Fields | undefined {
  return stored.kind === "fields" ? stored.fields : undefined;
}

function spell(key: FieldsKey): string {
  return `${key.kind} ${"id" in key ? key.id : key.name}`;
}

function checkName(key: FieldsKey): void {
  if ("id" in key || (key.name !== "" && key.name.length <= DOCUMENT_NAME_LIMIT)) return;
  throw new RangeError(`the name of a ${key.kind} must have 1 to ${DOCUMENT_NAME_LIMIT} characters`);
}
