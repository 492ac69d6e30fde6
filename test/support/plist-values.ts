/** Whatever a property list can say. */
import * as fc from "fast-check";
import type { PlistValue } from "../../src/plist/value.ts";

const text = fc
  .string({ unit: "grapheme" })
  .filter((each) => !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(each));
const second = fc
  .date({ min: new Date("0001-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true })
  .map((date) => new Date(Math.trunc(date.getTime() / 1000) * 1000));
const values = fc.letrec<{ value: PlistValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", maxDepth: 6 },
    text,
    fc.constantFrom("__proto__", "a\r\nb", "]]>", "<!--", "\t"),
    fc.boolean(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    second,
    fc.uint8Array({ maxLength: 100 }),
    fc.array(tie("value"), { maxLength: 5 }),
    fc
      .array(fc.tuple(fc.oneof(text, fc.constant("__proto__")), tie("value")), { maxLength: 5 })
      .map((all) => new Map(all)),
  ),
}));

export const plistValue: fc.Arbitrary<PlistValue> = values.value;
