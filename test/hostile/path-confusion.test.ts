/** One target, two places: every spelling that some server unfolds and another does not. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { Refusal } from "../../src/gateway/errors.ts";
import { encodeSegment, parseTarget, TARGET_LIMIT_BYTES } from "../../src/gateway/target.ts";

const ambiguous: readonly (readonly [attack: string, target: string])[] = [
  ["a parent segment", "/owa/../Microsoft-Server-ActiveSync"],
  ["a parent segment at the end", "/owa/.."],
  ["a current segment", "/./Microsoft-Server-ActiveSync"],
  ["an encoded dot", "/%2e%2e/Microsoft-Server-ActiveSync"],
  ["half an encoded dot segment", "/.%2e/x"],
  ["an encoded slash", "/owa%2fMicrosoft-Server-ActiveSync"],
  ["an encoded backslash", "/owa%5c..%5cMicrosoft-Server-ActiveSync"],
  ["a backslash", "/owa\\..\\Microsoft-Server-ActiveSync"],
  ["a path parameter", "/Microsoft-Server-ActiveSync;x=/owa"],
  ["an encoded semicolon", "/Microsoft-Server-ActiveSync%3bx"],
  ["a NUL", "/Microsoft-Server-ActiveSync%00/owa"],
  ["an encoded tab", "/Microsoft-Server-ActiveSync%09"],
  ["an encoded newline", "/owa%0a"],
  ["an encoded DEL", "/owa%7f"],
  ["double encoding", "/%252e%252e/owa"],
  ["a unicode escape of IIS", "/%u002e%u002e/owa"],
  ["half an escape", "/owa%2"],
  ["an escape that is none", "/owa%zz"],
  ["an overlong slash", "/owa%c0%af"],
  ["an overlong dot", "/%c0%ae%c0%ae/owa"],
  ["half a surrogate", "/owa%ed%a0%80"],
  ["a fullwidth solidus", "/owa%ef%bc%8f"],
  ["fullwidth letters", "/%ef%bc%ad"],
  ["a dot at the end of a segment", "/Microsoft-Server-ActiveSync./x"],
  ["a space at the end of a segment", "/Microsoft-Server-ActiveSync%20/x"],
  ["a stream of NTFS", "/Microsoft-Server-ActiveSync::$DATA"],
  ["an encoded colon", "/Microsoft-Server-ActiveSync%3a$DATA"],
  ["a short name of Windows", "/MICROS~1/x"],
  ["a session without cookies of ASP.NET", "/(S(abcdefghijklmnopqrstuvwx))/Microsoft-Server-ActiveSync"],
  ["a session below the route", "/owa/(A(x))/x"],
  ["a fragment", "/owa#/Microsoft-Server-ActiveSync"],
  ["an encoded fragment", "/owa%23x"],
  ["an encoded question mark", "/autodiscover/autodiscover.json%3f@x"],
  ["an authority", "//mail.example/owa"],
  ["another host in absolute form", "http://elsewhere.example/owa"],
  ["our own host in absolute form", "http://127.0.0.1/owa"],
  ["an authority form", "mail.example:443"],
  ["an asterisk", "*"],
  ["nothing", ""],
  ["a raw space", "/owa x"],
  ["a raw control byte", "/owa\u0001"],
  ["a raw letter outside ASCII", "/owä"],
  ["a pipe", "/owa|x"],
  ["a brace", "/owa{x}"],
  ["a quotation mark", '/owa"x'],
  ["a fragment in the query", "/owa?x#y"],
  ["a backslash in the query", "/owa?x=\\"],
];

suite("a target that can be read in two ways is refused", () => {
  for (const [attack, target] of ambiguous) {
    test(attack, () => {
      assert.throws(
        () => parseTarget(target),
        (error) => error instanceof Refusal && error.code === "target-ambiguous" && error.httpStatus === 400,
      );
    });
  }
});

test("a target as long as the limit is read, and one byte more is refused", () => {
  assert.equal(parseTarget(`/${"a".repeat(TARGET_LIMIT_BYTES - 1)}`).segments.length, 1);
  assert.throws(
    () => parseTarget(`/${"a".repeat(TARGET_LIMIT_BYTES)}`),
    (error) => error instanceof Refusal && error.code === "head-too-large" && error.httpStatus === 414,
  );
});

const plain: readonly (readonly [target: string, path: string])[] = [
  ["/Microsoft-Server-ActiveSync", "/Microsoft-Server-ActiveSync"],
  ["/Microsoft-Server-ActiveSync/default.eas", "/Microsoft-Server-ActiveSync/default.eas"],
  ["/SOGo//so///alice", "/SOGo/so/alice"],
  ["/SOGo/so/alice/Mail/0/folderINBOX/5/2/report%20(1).pdf", "/SOGo/so/alice/Mail/0/folderINBOX/5/2/report%20(1).pdf"],
  ["/owa/%67rüße".replace("üß", "%c3%bc%C3%9F"), "/owa/gr%C3%BC%C3%9Fe"],
  ["/owa/a%40b", "/owa/a@b"],
  ["/owa/a+b", "/owa/a+b"],
];

suite("every other target has one spelling", () => {
  for (const [target, path] of plain) {
    test(target, () => assert.equal(canonical(target), path));
  }
});

test("the one spelling of a target is its own spelling", () => {
  const character = fc.constantFrom(
    ...`aZ09._-~!$&'()*+,=@%/;: \\#?`.split(""),
    "%41",
    "%2e",
    "%c3%bc",
    "%20",
    "%40",
    "ü",
  );
  fc.assert(
    fc.property(fc.array(character, { maxLength: 40 }), (parts) => {
      let once: string;
      try {
        once = canonical(`/${parts.join("")}`.split("?")[0] ?? "/");
      } catch (error) {
        assert.ok(error instanceof Refusal);
        return;
      }
      assert.equal(canonical(once), once);
    }),
    { numRuns: 10_000 },
  );
});

function canonical(target: string): string {
  return `/${parseTarget(target).segments.map(encodeSegment).join("/")}`;
}
