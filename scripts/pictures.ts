/**
 * Makes the pictures in docs/images from the running demonstration: nothing in them is drawn by hand. Needs `chromium` with the
 * fonts `fonts-dejavu` and `fonts-noto-core`, and `script` of util-linux, which gives the demonstration a terminal.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createPhone } from "../src/phone/phone.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const images = path.join(root, "docs/images");
const scratch = mkdtempSync(path.join(os.tmpdir(), "postern-pictures-"));

const columns = 92;
const patienceMs = 30_000;
const phoneWidth = 390;
const phoneAgent =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";

interface Demo {
  screen(): string;
  waitFor(words: string): Promise<void>;
  end(): void;
}

/** In a folder of its own, as somebody sees it who has just typed `npm start`. */
function startDemo(): Demo {
  const command = `stty cols ${columns} rows 60; exec '${process.execPath}' '${root}src/main.ts' demo`;
  const child = spawn("script", ["-qec", command, "/dev/null"], {
    cwd: scratch,
    env: { ...process.env, TERM: "xterm-256color", NO_COLOR: "", npm_lifecycle_event: "start", TZ: "Europe/London" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let screen = "";
  child.stdout.on("data", (chunk: Buffer) => (screen += chunk.toString()));
  return {
    screen: () => screen,
    async waitFor(words): Promise<void> {
      const until = performance.now() + patienceMs;
      while (!screen.includes(words)) {
        if (performance.now() > until) throw new Error(`the demonstration does not say "${words}":\n${screen}`);
        await setTimeout(50);
      }
    },
    end: () => child.kill("SIGTERM"),
  };
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

const palette = ["#1d1f21", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d7dae0"] as const;

/** The colours and weights that the phone prints with (ECMA-48 SGR); every other control is an error. */
function terminalHtml(screen: string): string {
  let bold = false;
  let dim = false;
  let colour: string | undefined;
  const body = screen
    .replaceAll("\r\n", "\n")
    .split(/(\u001b\[[0-9;]*m)/)
    .map((part) => {
      const codes = /^\u001b\[([0-9;]*)m$/.exec(part)?.[1];
      if (codes === undefined) {
        if (part.includes("\u001b")) throw new Error("the demonstration moves the cursor");
        const style = [
          colour === undefined ? "" : `color:${colour}`,
          bold ? "font-weight:bold" : "",
          dim ? "opacity:.62" : "",
        ];
        const css = style.filter((each) => each !== "").join(";");
        return css === "" ? escapeHtml(part) : `<span style="${css}">${escapeHtml(part)}</span>`;
      }
      for (const code of codes.split(";").map(Number)) {
        if (code === 0) [bold, dim, colour] = [false, false, undefined];
        else if (code === 1) bold = true;
        else if (code === 2) dim = true;
        else if (code === 22) [bold, dim] = [false, false];
        else if (code >= 30 && code <= 37) colour = palette[code - 30];
        else if (code >= 90 && code <= 97) colour = palette[code - 90];
        else if (code === 39) colour = undefined;
        else throw new Error(`the demonstration prints in a way that is not drawn here: ${code}`);
      }
      return "";
    })
    .join("");
  return `<!doctype html><meta charset="utf-8"><style>
    body { margin: 0; background: #14161a }
    pre { margin: 0; padding: 18px 22px; color: #d7dae0; font: 14px/19px "DejaVu Sans Mono", monospace; white-space: pre }
  </style><pre>${body}</pre>`;
}

interface Shot {
  readonly name: string;
  readonly url: string;
  readonly width: number;
  readonly height: number;
  readonly userAgent?: string;
}

function photograph({ name, url, width, height, userAgent }: Shot): void {
  const file = path.join(images, name);
  execFileSync(
    "chromium",
    [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--hide-scrollbars",
      "--force-device-scale-factor=2",
      `--user-data-dir=${path.join(scratch, "chromium")}`,
      `--window-size=${width},${height}`,
      `--screenshot=${file}`,
      ...(userAgent === undefined ? [] : [`--user-agent=${userAgent}`]),
      url,
    ],
    { stdio: ["ignore", "ignore", "ignore"] },
  );
}

function page(name: string, html: string): string {
  const file = path.join(scratch, name);
  writeFileSync(file, html);
  return `file://${file}`;
}

/** Chromium's smallest window is wider than a phone: the phone is a frame in it, as wide as one. */
function inFrame(url: string, height: number): string {
  return `<!doctype html><meta charset="utf-8"><body style="margin:0;background:#fff">
    <iframe src="${url}" style="border:0;width:${phoneWidth}px;height:${height}px"></iframe>`;
}

mkdirSync(images, { recursive: true });
const demo = startDemo();
try {
  await demo.waitFor("Ctrl-C ends the demonstration");
  const held = demo.screen();
  const [, remove] = /^ +(?:\u001b\[\d+m)*npm run postern -- (device set [^\u001b\r\n]*)/m.exec(held) ?? [];
  const [gate] = /http:\/\/127\.0\.0\.1:\d+/.exec(held) ?? [];
  if (remove === undefined || gate === undefined) throw new Error(`the demonstration names no command:\n${held}`);

  const phone = createPhone({
    url: gate,
    user: "bob",
    password: "bob-demo",
    deviceId: "BOBPHONE",
    deviceType: "Android",
  });
  await phone.refresh();
  const [message] = phone.inbox();
  if (message === undefined) throw new Error("there is no notice");
  const fetched = await phone.fetch(message);
  phone.close();
  if (fetched.kind !== "ok") throw new Error("the notice cannot be fetched");

  execFileSync(process.execPath, [`${root}src/main.ts`, ...remove.trim().split(" ")], { cwd: scratch });
  await demo.waitFor("Bob's mail is back");
  await setTimeout(500);
  console.log(JSON.stringify(fetched).slice(0, 300));
  const screen = demo.screen();
  const lines = screen.split("\n").length;
  photograph({
    name: "demo.png",
    url: page("demo.html", terminalHtml(screen)),
    width: columns * 8.43 + 44,
    height: lines * 19 + 36,
  });
  photograph({
    name: "phone-browser.png",
    url: page("browser.html", inFrame(`${gate}/mail/`, 700)),
    width: phoneWidth,
    height: 700,
    userAgent: phoneAgent,
  });
} finally {
  demo.end();
  rmSync(scratch, { recursive: true, force: true });
}
