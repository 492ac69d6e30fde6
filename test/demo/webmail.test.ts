import assert from "node:assert/strict";
import { test } from "node:test";
import supertest from "supertest";
import { createMailServer, type MailServer } from "../../src/demo/mail-server.ts";
import { generatedAttachment } from "../../src/demo/message.ts";
import { aMailServer, aPhone, noon, syncDocument, syncFromTheStart, readSync, textAt } from "./wire.ts";

const users = [
  { name: "alice", password: "alice-demo", displayName: "Alice Archer" },
  { name: "bob", password: "bob-demo", displayName: "Bob Baker" },
];

function aWebmail(): MailServer {
  const server = createMailServer({ users, clock: () => noon, seed: "test" });
  server.deliver("alice", {
    from: "Carol <carol@demo.example>",
    subject: "Rooms <4>",
    text: "The screen & the cable.",
  });
  return server;
}

async function signedIn(server: MailServer): Promise<ReturnType<typeof supertest.agent>> {
  const browser = supertest.agent(server.handler);
  await browser
    .post("/mail/login")
    .type("form")
    .send({ login: "alice", password: "alice-demo" })
    .expect(303)
    .expect("Location", "/mail/");
  return browser;
}

test("a browser that is not signed in gets the form, signs in, and reads its mail", async () => {
  const server = aWebmail();
  const stranger = supertest(server.handler);
  await stranger.get("/mail/").expect(303).expect("Location", "/mail/login");
  await stranger.get("/mail/login").expect(200, /<form method="post" action="\/mail\/login">/);

  const browser = await signedIn(server);
  const list = await browser.get("/mail/").expect(200, /Rooms &lt;4&gt;/);
  const href = /href="(\/mail\/message\/[^"]+)"/.exec(list.text)?.[1] ?? "";
  await browser.get(href).expect(200, /The screen &amp; the cable\./);
});

test("a wrong password signs nobody in", async () => {
  const browser = supertest.agent(aWebmail().handler);
  await browser
    .post("/mail/login")
    .type("form")
    .send({ login: "alice", password: "wrong" })
    .expect(403, /do not go together/);
  await browser.get("/mail/").expect(303);
});

test("signing out ends the session on the server, not only in the browser", async () => {
  const server = aWebmail();
  const answer = await supertest(server.handler)
    .post("/mail/login")
    .type("form")
    .send({ login: "alice", password: "alice-demo" });
  const cookie = String(answer.headers["set-cookie"]).split(";", 1)[0] ?? "";
  assert.match(String(answer.headers["set-cookie"]), /HttpOnly; SameSite=Lax/);
  await supertest(server.handler).get("/mail/").set("Cookie", cookie).expect(200);
  await supertest(server.handler).post("/mail/logout").set("Cookie", cookie).expect(303);
  await supertest(server.handler).get("/mail/").set("Cookie", cookie).expect(303);
});

test("curl may sign in with each request", async () => {
  const server = aWebmail();
  await supertest(server.handler).get("/mail/").auth("CORP\\alice", "alice-demo").expect(200, /Inbox/);
  await supertest(server.handler)
    .get("/mail/")
    .auth("alice", "wrong")
    .expect(401)
    .expect("WWW-Authenticate", /^Basic/);
});

test("every page forbids scripts, frames and everything from elsewhere", async () => {
  const browser = await signedIn(aWebmail());
  for (const path of ["/mail/", "/mail/login", "/mail/nothing", "/mail/style.css"]) {
    const { headers, text } = await browser.get(path);
    assert.match(String(headers["content-security-policy"]), /^default-src 'none'; style-src 'self';/, path);
    assert.doesNotMatch(text, /<script|style="|https?:/, path);
  }
});

test("nobody reads another person's message", async () => {
  const server = aWebmail();
  const id = server.mailbox("alice").messages[0]?.id ?? "";
  await supertest(server.handler).get(`/mail/message/${id}`).auth("bob", "bob-demo").expect(404);
  await supertest(server.handler).get("/mail/?folder=1").auth("alice", "alice-demo").expect(404);
  await supertest(server.handler).get("/mail/?folder=77").auth("alice", "alice-demo").expect(404);
});

test("an attachment is downloaded whole, under its name", async () => {
  const server = aWebmail();
  const id = server.deliver("alice", {
    from: "bob@demo.example",
    subject: "Table",
    text: ".",
    attachments: [generatedAttachment("größe.csv", 300_000)],
  });
  const { headers, text } = await supertest(server.handler)
    .get(`/mail/message/${id}/attachment/0`)
    .auth("alice", "alice-demo")
    .expect(200);
  assert.equal(headers["content-disposition"], "attachment; filename*=UTF-8''gr%C3%B6%C3%9Fe.csv");
  assert.equal(text.length, 300_000);
  await supertest(server.handler).get(`/mail/message/${id}/attachment/1`).auth("alice", "alice-demo").expect(404);
});

test("what is read on the laptop is read on the phone", async (t) => {
  const server = await aMailServer(t);
  const id = server.deliver("alice", { from: "carol@demo.example", subject: "Rooms", text: "." });
  const phone = aPhone(server);
  const { key } = await syncFromTheStart(phone);
  await supertest(server.url).get(`/mail/message/${id}`).auth("alice", "alice-demo").expect(200);
  const { changed } = readSync((await phone.post(syncDocument(key))).root);
  assert.deepEqual(
    changed.map((one) => textAt(one, "AirSync:ApplicationData", "Email:Read")),
    ["1"],
  );
});
