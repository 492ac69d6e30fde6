/** The bar that is shown while something takes long. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { createProgress } from "../../src/cli/progress.ts";

suite("a progress bar", () => {
  test("fits the terminal, is drawn anew ten times a second at most, and goes away", () => {
    let time = 0;
    const written: string[] = [];
    const screen = { isTTY: true, columns: 50, write: (text: string) => written.push(text) };
    const progress = createProgress(screen, () => time);
    for (let step = 0; step <= 100; step += 1) {
      progress.report(step / 100, `${step} devices looked at, and a long tail of words`);
      time += 10;
    }
    progress.end();
    assert.equal(written.length, 12);
    for (const line of written.slice(0, -1)) assert.ok(line.replace(/^\r/, "").replace("\u001b[K", "").length < 50);
    assert.match(written[5] ?? "", /^\r█{15}░{15} {2}50% /);
    assert.equal(written.at(-1), "\r\u001b[K");
  });

  test("is nothing where nobody looks", () => {
    const written: string[] = [];
    const progress = createProgress({ isTTY: false, write: (text: string) => written.push(text) });
    progress.report(0.5, "half");
    progress.end();
    assert.deepEqual(written, []);
  });
});
