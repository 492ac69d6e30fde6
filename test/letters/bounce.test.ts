/** Reports of mail servers: those that real ones wrote (see the folder of fixtures), the examples of RFC 3464, and false ones. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { suite, test } from "node:test";
import fc from "fast-check";
import { readBounce } from "../../src/letters/bounce.ts";
import { envelopeIdOf, newEnvelope, readEnvelopes } from "../../src/letters/envelope.ts";
import { repository } from "../support/postern.ts";

const fixtures = path.join(repository, "test/fixtures/bounces");
const reports = readdirSync(fixtures).filter((name) => name.endsWith(".eml"));
const envelope = { campaign: "tiktok", run: 1, secret: "0123456789abcdef01234567" };
const id = envelopeIdOf(envelope);
const another = `fedcba987654321001234567.1.tiktok`;

interface Written {
  readonly type?: string;
  readonly above?: readonly string[];
  readonly message?: readonly string[];
  readonly recipients?: readonly (readonly string[])[];
  readonly returned?: readonly string[];
  readonly returnedType?: string;
  readonly statusType?: string;
  readonly newline?: string;
}

const failed = ["Final-Recipient: rfc822;alice@corp.example", "Action: failed", "Status: 5.1.1"];

/** A report in the shape of RFC 3464, appendix D. */
function aReport({
  type = 'multipart/report; report-type=delivery-status;\n      boundary="RAA14128.773615765/CS.UTK.EDU"',
  above = [],
  message = ["Reporting-MTA: dns; cs.utk.edu"],
  recipients = [[...failed, "Diagnostic-Code: smtp; 550 nobody here"]],
  returned = [`Message-ID: <${id}@corp.example>`, "Subject: Remove TikTok"],
  returnedType = "message/rfc822",
  statusType = "message/delivery-status",
  newline = "\r\n",
}: Written = {}): Buffer {
  const boundary = "--RAA14128.773615765/CS.UTK.EDU";
  const lines = [
    "From: Mail Delivery Subsystem <MAILER-DAEMON@CS.UTK.EDU>",
    "Message-Id: <199407072116.RAA14128@CS.UTK.EDU>",
    "Subject: Returned mail: Cannot send message for 5 days",
    "To: <it@corp.example>",
    ...above,
    `Content-Type: ${type}`,
    "",
    boundary,
    "",
    "The original message was received at Sat, 2 Jul 1994 17:10:28 -0400",
    "",
    boundary,
    `content-type: ${statusType}`,
    "",
    ...message,
    ...recipients.flatMap((group) => ["", ...group]),
    "",
    boundary,
    `content-type: ${returnedType}`,
    "",
    ...returned,
    "",
    "[original message goes here]",
    "",
    `${boundary}--`,
  ];
  return Buffer.from(lines.join("\n").replaceAll("\n", newline));
}

suite("a report of a mail server", () => {
  for (const name of reports) {
    test(`is understood: ${name}`, () => {
      const detail = "5.0.0 554 Pipe command reported error 67";
      assert.deepEqual(readBounce(readFileSync(path.join(fixtures, name))), {
        kind: "failure",
        envelopes: [envelope],
        detail,
      });
    });
  }

  const understood: readonly (readonly [title: string, message: Buffer, detail: string])[] = [
    ["in the shape of the RFC", aReport(), "5.1.1 550 nobody here"],
    ["with bare line feeds", aReport({ newline: "\n" }), "5.1.1 550 nobody here"],
    [
      "that came through a program that puts the line of an mbox before it",
      Buffer.concat([Buffer.from("From MAILER-DAEMON  Sat Nov 28 06:15:51 2026\r\n"), aReport()]),
      "5.1.1 550 nobody here",
    ],
    [
      "that gives up after days of 4xx (RFC 3464, D.1)",
      aReport({ recipients: [["Action: failed", "Status: 4.0.0", "Diagnostic-Code: smtp; 426 connection timed out"]] }),
      "4.0.0 426 connection timed out",
    ],
    [
      "for one of several recipients (RFC 3464, D.2)",
      aReport({
        recipients: [
          ["Final-Recipient: rfc822;a@corp.example", "Action: relayed", "Status: 2.1.9"],
          ["Final-Recipient: rfc822;b@corp.example", "Action: failed (of all)", "Status: 5.1.1"],
        ],
      }),
      "5.1.1",
    ],
    [
      "by the envelope id alone",
      aReport({ message: [`Original-Envelope-Id: ${id}`], returned: ["Subject: nothing of ours"] }),
      "5.1.1 550 nobody here",
    ],
    [
      "of Exchange, whose words are folded and have the status in them",
      aReport({
        above: ["X-DSNContext: 335a7efd - 4460 - 00000001 - 80040546"],
        message: ["Reporting-MTA: dns;EX01.corp.example", "Received-From-MTA: dns;postern.corp.example"],
        recipients: [
          [
            "Original-Recipient: rfc822;alice@corp.example",
            "Final-Recipient: rfc822;alice@corp.example",
            "Action: failed",
            "Status: 5.1.10",
            "Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipNotFound; Recipient not found",
            "\tby SMTP address lookup",
          ],
        ],
      }),
      "550 5.1.10 RESOLVER.ADR.RecipNotFound; Recipient not found by SMTP address lookup",
    ],
    [
      "of Exchange, that returns nothing and says to which mail it answers",
      aReport({ above: [`In-Reply-To: <${id}@corp.example>`, `References: <${id}@corp.example>`], returned: [] }),
      "5.1.1 550 nobody here",
    ],
    [
      "with the headers alone, by a server that shouts",
      aReport({ returnedType: "TEXT/RFC822-Headers", returned: [`MESSAGE-ID: <${id.toUpperCase()}@CORP.EXAMPLE>`] }),
      "5.1.1 550 nobody here",
    ],
    [
      "in another script, encoded (RFC 6533)",
      aReport({
        statusType: "message/global-delivery-status\nContent-Transfer-Encoding: base64",
        message: [
          Buffer.from(
            "Reporting-MTA: dns; x\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 誰もいません",
          )
            .toString("base64")
            .replaceAll(/.{60}/g, "$&\n"),
        ],
        recipients: [],
        returnedType: "message/global-headers\nContent-Transfer-Encoding: quoted-printable",
        returned: [`Message-ID: =3C${id.slice(0, 20)}=\n${id.slice(20)}@corp.example>`],
      }),
      "5.1.1 550 誰もいません",
    ],
  ];
  for (const [title, message, detail] of understood) {
    test(`is understood: ${title}`, () => {
      assert.deepEqual(readBounce(message), { kind: "failure", envelopes: [envelope], detail });
    });
  }

  test("that mail is late, or was delivered, or handed on, is no failure (RFC 3464, D.3)", () => {
    for (const action of ["delayed", "delivered", "relayed", "expanded", "failedish"])
      assert.deepEqual(readBounce(aReport({ recipients: [[`Action: ${action}`, "Status: 4.0.0"]] })), {
        kind: "no-failure",
      });
    assert.deepEqual(readBounce(aReport({ message: ["Action: failed"], recipients: [] })), { kind: "no-failure" });
  });

  test("that contradicts itself names both letters", () => {
    const bounce = readBounce(aReport({ message: [`Original-Envelope-Id: ${another}`] }));
    assert.equal(bounce.kind === "failure" && bounce.envelopes.length, 2);
    const twice = readBounce(aReport({ returned: [`Message-ID: <${id}@x>`, `Message-ID: <${another}@x>`] }));
    assert.equal(twice.kind === "failure" && twice.envelopes.length, 2);
  });

  test("about somebody else's mail names no letter", () => {
    const bounce = readBounce(aReport({ returned: ["Message-ID: <CAF=xyz@mail.example>"] }));
    assert.deepEqual(bounce, { kind: "failure", envelopes: [], detail: "5.1.1 550 nobody here" });
  });

  test("does not name a letter by what somebody quotes", () => {
    const quoted = aReport({ returned: ["Subject: x", "", `Message-ID: <${id}@corp.example>`] });
    assert.deepEqual(readBounce(quoted), { kind: "failure", envelopes: [], detail: "5.1.1 550 nobody here" });
  });
});

suite("mail that is no report", () => {
  const rows: readonly (readonly [title: string, message: Buffer])[] = [
    ["a person's answer", Buffer.from(`In-Reply-To: <${id}@corp.example>\r\nContent-Type: text/plain\r\n\r\nThanks!`)],
    ["nothing", Buffer.alloc(0)],
    ["a receipt", aReport({ statusType: "message/disposition-notification" })],
    ["a report within another mail", aReport({ type: 'multipart/mixed; boundary="RAA14128.773615765/CS.UTK.EDU"' })],
    ["a report without a boundary", aReport({ type: "multipart/report; report-type=delivery-status" })],
    ["a boundary that is too long", aReport({ type: `multipart/report; boundary="${"b".repeat(71)}"` })],
    ["a report that says twice what it is", aReport({ above: ["Content-Type: text/plain"] })],
  ];
  for (const [title, message] of rows)
    test(`is none: ${title}`, () => assert.deepEqual(readBounce(message), { kind: "no-report" }));

  test("a report is looked at up to its tenth part", () => {
    const boundary = "--RAA14128.773615765/CS.UTK.EDU";
    const crowded = (count: number): Buffer =>
      Buffer.from(
        aReport()
          .toString()
          .replace(boundary, `${`${boundary}\r\n\r\nx\r\n`.repeat(count)}${boundary}`),
      );
    assert.equal(readBounce(crowded(8)).kind, "failure");
    assert.equal(readBounce(crowded(9)).kind, "no-report");
  });

  test("the hundredth recipient counts, and the one behind does not", () => {
    const fine = ["Action: relayed"];
    const at = (count: number): string =>
      readBounce(aReport({ recipients: [...Array.from({ length: count }, () => fine), failed] })).kind;
    assert.equal(at(99), "failure");
    assert.equal(at(100), "no-failure");
  });

  test("cut off anywhere, a report names its own letter, a shorter name, or none", () => {
    for (const name of reports) {
      const whole = readFileSync(path.join(fixtures, name));
      for (let end = 0; end < whole.length; end += 1) {
        const bounce = readBounce(whole.subarray(0, end));
        if (bounce.kind !== "failure") continue;
        assert.ok(bounce.envelopes.length <= 2);
        for (const { secret, campaign } of bounce.envelopes)
          assert.ok(secret === envelope.secret && envelope.campaign.startsWith(campaign));
      }
    }
  });

  test("any bytes are read without harm", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => void readBounce(Buffer.from(bytes))));
    const words = ["\r\n", "\n", " ", ":", ";", "=", "--b", "--b--", "Content-Type", "multipart/report", "boundary=b"];
    const all = [...words, "message/delivery-status", "Action: failed", "base64", "quoted-printable", id, "From "];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...all), { maxLength: 200 }), (parts) => {
        readBounce(Buffer.from(parts.join("")));
      }),
    );
  });

  test("a megabyte of what would be slow to read is read at once", () => {
    for (const piece of ["\n ", "; ", "=\t", "\n--b", "boundary", "\n\n", "a: \n"]) {
      const message = `Content-Type: multipart/report; boundary=b\n\n--b\ncontent-type: message/delivery-status\nContent-Transfer-Encoding: quoted-printable\n\n${piece.repeat(1_048_576 / piece.length)}`;
      readBounce(Buffer.from(message));
      readBounce(Buffer.from(`Content-Type: multipart/report; boundary${message}`));
    }
  });
});

suite("an envelope", () => {
  test("fits into an ENVID whatever the campaign is called, and is read again", () => {
    const long = newEnvelope({ campaign: "c".repeat(64), run: 999_999_999 });
    assert.ok(envelopeIdOf(long).length <= 100, "RFC 3461, 4.4");
    assert.match(envelopeIdOf(long), /^[0-9a-z.-]+$/, "nothing that xtext would encode");
    assert.deepEqual(readEnvelopes(`<${envelopeIdOf(long)}@corp.example>`), [long]);
  });

  test("of each letter is another one", () => {
    const made = Array.from({ length: 1_000 }, () => newEnvelope({ campaign: "c", run: 1 }).secret);
    assert.equal(new Set(made).size, made.length);
  });

  test("is not seen in a longer word", () => {
    for (const text of [`x${id}`, `0${id}`, `${id}_`, id.replace("tiktok", "t".repeat(65)), id.replace(".1.", "."), ""])
      assert.deepEqual(readEnvelopes(text), [], text);
  });
});
