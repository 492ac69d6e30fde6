import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { PageStream } from "../../src/gateway/own-pages.ts";
import { createStreams, STREAM_LIMIT_MS } from "../../src/self-service/streams.ts";
import type { Streams, StreamsOptions } from "../../src/self-service/streams.ts";

interface Opened extends PageStream {
  readonly sent: string[];
  leave(): void;
}

function aStream(): Opened {
  const sent: string[] = [];
  let leave = (): void => undefined;
  return {
    sent,
    send: (text) => void sent.push(text),
    end: () => leave(),
    onClose: (listener) => (leave = listener),
    leave: () => leave(),
  };
}

function opened(streams: Streams, device: string, network: string): Opened | undefined {
  const place = streams.reserve(device, network);
  if (place === undefined) return undefined;
  const stream = aStream();
  place.hold(stream);
  return stream;
}

suite("streams are counted", () => {
  const rows: readonly (readonly [title: string, limits: Partial<StreamsOptions>, other: [string, string]])[] = [
    ["by the phone", { perDevice: 2 }, ["b", "n"]],
    ["by the network", { perNetwork: 2 }, ["a", "m"]],
  ];
  for (const [title, limits, other] of rows) {
    test(title, () => {
      const streams = createStreams({ perDevice: 9, perNetwork: 9, inAll: 9, ...limits });
      const first = opened(streams, "a", "n");
      assert.ok(first !== undefined && opened(streams, "a", "n") !== undefined, "at the cap");
      assert.equal(opened(streams, "a", "n"), undefined, "one past it");
      assert.ok(opened(streams, ...other) !== undefined, "somebody else");
      first.leave();
      assert.ok(opened(streams, "a", "n") !== undefined, "a place is free again");
      assert.equal(opened(streams, "a", "n"), undefined);
      streams.close();
    });
  }

  test("all together", () => {
    const streams = createStreams({ perDevice: 9, perNetwork: 9, inAll: 2 });
    assert.ok(opened(streams, "a", "n") !== undefined && opened(streams, "b", "m") !== undefined);
    assert.equal(opened(streams, "c", "o"), undefined);
    assert.equal(streams.size(), 2);
    streams.close();
    assert.equal(streams.size(), 0);
  });

  test("from the moment on at which a place was given", () => {
    const streams = createStreams({ perDevice: 1, perNetwork: 9, inAll: 9 });
    assert.ok(streams.reserve("a", "n") !== undefined);
    assert.equal(streams.reserve("a", "n"), undefined);
    streams.close();
  });
});

test("they are kept alive by comments, and end after a quarter of an hour", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  let at = 0;
  t.mock.method(performance, "now", () => at);
  const streams = createStreams({ perDevice: 9, perNetwork: 9, inAll: 9 });
  const stream = opened(streams, "a", "n");
  assert.ok(stream !== undefined);
  const pass = (ms: number): void => {
    at += ms;
    t.mock.timers.tick(ms);
  };
  pass(19_999);
  assert.deepEqual(stream.sent, []);
  pass(1);
  assert.deepEqual(stream.sent, [":\n\n"]);
  for (const _ of Array.from({ length: Math.floor(STREAM_LIMIT_MS / 20_000) })) {
    assert.equal(streams.size(), 1);
    pass(20_000);
  }
  assert.equal(streams.size(), 0);
  streams.close();
});

test("none is let in when the program stops, and one that was on its way in ends", () => {
  const streams = createStreams({ perDevice: 9, perNetwork: 9, inAll: 9 });
  const place = streams.reserve("a", "n");
  const open = opened(streams, "b", "n");
  streams.close();
  place?.hold(aStream());
  assert.equal(streams.size(), 0);
  assert.ok(open !== undefined);
  assert.equal(streams.reserve("a", "n"), undefined);
});
