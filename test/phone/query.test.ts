import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { newestCommon } from "../../src/phone/dialect.ts";
import { base64Query, localeOf, plainQuery } from "../../src/phone/query.ts";
import { nothing } from "./support/documents.ts";
import { newPhone, withCode } from "./support/phones.ts";

suite("the base64 query of a phone", () => {
  test("is the one of the specification for a device id in letters", () => {
    const query = base64Query({
      version: "14.0",
      command: "Sync",
      locale: 0x0409,
      deviceId: "v140Device",
      policyKey: undefined,
      deviceType: "SmartPhone",
      parameters: {},
    });
    assert.equal(query, "jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l");
  });

  test("is the one that Windows Mail sends for a device id in bytes", () => {
    const query = base64Query({
      version: "14.1",
      command: "SmartReply",
      locale: 0x0809,
      deviceId: Buffer.from("6030EA38351221CA635E954E99EE31D3", "hex"),
      policyKey: 2622544188,
      deviceType: "WindowsMail",
      parameters: { saveInSent: true },
    });
    assert.equal(query, "jQMJCBBgMOo4NRIhymNelU6Z7jHTBDzZUJwLV2luZG93c01haWwHAQE=");
  });

  test("packs every parameter with tag and length", () => {
    const query = base64Query({
      version: "12.1",
      command: "GetAttachment",
      locale: 0x0407,
      deviceId: "A",
      policyKey: undefined,
      deviceType: "B",
      parameters: { AttachmentName: "x/1", User: "bob", acceptMultiPart: true },
    });
    assert.equal(Buffer.from(query, "base64").toString("hex"), "7904070401410001420003782f310803626f62070102");
  });

  test("cannot hold more than 255 bytes in one part", () => {
    const query = (name: string) => () =>
      base64Query({
        version: "14.1",
        command: "GetAttachment",
        locale: 0x0409,
        deviceId: "A",
        policyKey: undefined,
        deviceType: "B",
        parameters: { AttachmentName: name },
      });
    assert.doesNotThrow(query("n".repeat(255)));
    assert.throws(query("n".repeat(256)), withCode("options"));
  });
});

suite("the plain query of a phone", () => {
  test("names command, user, device and type, percent-encoded", () => {
    const query = plainQuery({
      command: "SendMail",
      user: "CORP\\alice+1",
      deviceId: "PHONE01",
      deviceType: "iPhone",
      parameters: { saveInSent: true },
    });
    assert.equal(query, "Cmd=SendMail&User=CORP%5Calice%2B1&DeviceId=PHONE01&DeviceType=iPhone&SaveInSent=T");
  });
});

suite("what a phone says of itself", () => {
  test("is in the headers with a plain query", async (t) => {
    const { phone, server } = await newPhone(t, [nothing], { deviceType: "iPhone", acceptLanguage: "de-DE,de;q=0.9" });
    await phone.flushOutbox();
    await phone.send({ to: "bob@postern.test", subject: "Hello", text: "Hello." });
    const [request] = server.received;
    assert.equal(request?.query, "Cmd=SendMail&User=alice%40postern.test&DeviceId=PHONE01&DeviceType=iPhone");
    assert.equal(request?.headers["ms-asprotocolversion"], "14.1");
    assert.equal(request?.headers["x-ms-policykey"], "0");
    assert.equal(request?.headers["accept-language"], "de-DE,de;q=0.9");
    assert.equal(request?.headers.authorization, "Basic YWxpY2VAcG9zdGVybi50ZXN0OnNlY3JldA==");
  });

  test("is in the query with base64, and then in no header", async (t) => {
    const { phone, server } = await newPhone(t, [nothing], { queryForm: "base64", acceptLanguage: "de-DE" });
    await phone.send({ to: "bob@postern.test", subject: "Hello", text: "Hello." });
    const [request] = server.received;
    assert.equal(
      Buffer.from(request?.query ?? "", "base64").toString("latin1"),
      "\x8d\x01\x07\x04\x07PHONE01\x00\x0aSmartPhone",
    );
    assert.equal(request?.headers["ms-asprotocolversion"], undefined);
    assert.equal(request?.headers["x-ms-policykey"], undefined);
  });

  test("can be a device id in bytes, as Windows phones have it", async (t) => {
    const { phone, server } = await newPhone(t, [nothing], {
      queryForm: "base64",
      deviceId: "0A0B0C",
      packDeviceId: true,
    });
    await phone.send({ to: "bob@postern.test", subject: "Hello", text: "Hello." });
    assert.equal(
      Buffer.from(server.received[0]?.query ?? "", "base64").toString("latin1"),
      "\x8d\x01\x09\x04\x03\x0a\x0b\x0c\x00\x0aSmartPhone",
    );
  });

  test("is refused where no server would understand it", async (t) => {
    await assert.rejects(newPhone(t, [], { deviceId: "with-dash" }), withCode("options"));
    await assert.rejects(newPhone(t, [], { deviceId: "A".repeat(33) }), withCode("options"));
    await assert.rejects(newPhone(t, [], { queryForm: "base64", protocolVersion: "12.0" }), withCode("options"));
    await assert.rejects(newPhone(t, [], { url: "http://alice:secret@mail.test/" }), withCode("options"));
  });
});

test("the language of a phone becomes a Windows language code", () => {
  assert.equal(localeOf("de-DE,de;q=0.9"), 0x0407);
  assert.equal(localeOf("fr-CA"), 0x0c0c);
  assert.equal(localeOf("xx-YY"), 0x0409);
  assert.equal(localeOf(undefined), 0x0409);
});

test("a phone takes the newest version that both sides speak", () => {
  assert.equal(newestCommon(["2.5", "12.1", "14.0", "99.0"]), "14.0");
  assert.equal(newestCommon(["1.0"]), undefined);
});
