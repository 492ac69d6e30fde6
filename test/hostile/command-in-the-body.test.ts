/** The URL names one command and the body carries another: servers disagree which of them they run. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { gzipSync } from "node:zlib";
import { element } from "../../src/activesync/document.ts";
import { encode } from "../../src/activesync/wbxml.ts";
import { collection, syncOf, wait } from "../support/activesync-documents.ts";
import { holding, inInbox } from "./holding.ts";
import { post } from "./wire.ts";

suite("a request whose body carries another command than its URL", () => {
  const waiting = encode(syncOf([collection(inInbox)], wait("10")));
  // Some servers run the one and some the other; what is watched, learnt and taken back here goes by the URL. So it is not held
  // upstream in the first place.
  for (const command of ["Settings", "SendMail", "FolderSync", "GetAttachment", "Ping", "Xyz"]) {
    test(`is refused where the URL says ${command}`, async (t) => {
      const { gate, upstream } = await holding(t);
      const answer = await post(gate, command, waiting);
      assert.equal(answer.status, 400);
      assert.deepEqual(upstream.seen, []);
    });
  }
  test("is refused when it is packed, or as large as a mail", async (t) => {
    const { gate, upstream } = await holding(t);
    const packed = await post(gate, "Settings", gzipSync(waiting), { headers: { "Content-Encoding": "gzip" } });
    assert.equal(packed.status, 400);
    const photo = element("AirSync:Change", element("AirSync:ApplicationData", Buffer.alloc(200_000)));
    const large = await post(gate, "Settings", syncOf([collection({ ...inInbox, commands: [photo] })]));
    assert.equal(large.status, 400);
    assert.deepEqual(upstream.seen, []);
  });
});
