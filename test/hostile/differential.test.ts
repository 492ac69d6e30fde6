/**
 * Thousands of mutants of good requests, sent as bytes. Whatever a mail server behind the gate gets to see must be read as the
 * same phone by servers that read as differently as SOGo, PHP and ASP.NET, and that phone must be one that is allowed.
 */
import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { element } from "../../src/activesync/document.ts";
import { decodeRootTag, encode } from "../../src/activesync/wbxml.ts";
import { createMailServer } from "../../src/demo/mail-server.ts";
import type { JournalEntry } from "../../src/demo/mail-server.ts";
import { folderSync, inbox, ping, sync } from "../support/activesync-documents.ts";
import { aGate, aliceAndBob, clean, withTiktok } from "../support/gate.ts";
import { basic, laptop } from "./wire.ts";
