/**
 * A browser that a test looks through and types into: Debian's Chromium, by its own protocol. Pages are asked what they show; keys and
 * pictures are the browser's own.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import { z } from "zod";
import { requirePackage } from "./debian.ts";
import { eventually } from "./eventually.ts";

export interface TabOptions {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
  readonly reducedMotion?: boolean;
  /** False: scripts do not run. */
  readonly scripts?: boolean;
  /** The Accept-Language of all requests. */
  readonly language?: string;
}

export interface Tab {
  open(url: string): Promise<void>;
  /** What an expression is worth in the page, as JSON. It works where the page's own scripts do not run. */
  evaluate(expression: string): Promise<unknown>;
  /** All that a person sees, in lines. */
  text(): Promise<string>;
  press(key: "Tab" | "Enter" | " "): Promise<void>;
  /** What is on the screen, PNG. */
  picture(): Promise<Buffer>;
  /** What the browser complained about: policies that were broken, scripts that failed. */
  complaints(): readonly string[];
  /** Headers of every request that the page made, as the browser sent them. */
  requests(): readonly { readonly url: string; readonly headers: Readonly<Record<string, string>> }[];
  close(): Promise<void>;
}

export interface Chromium {
  tab(options?: TabOptions): Promise<Tab>;
}

const messageShape = z.object({
  id: z.number().optional(),
  method: z.string().optional(),
  params: z.record(z.string(), z.unknown()).optional(),
  result: z.record(z.string(), z.unknown()).optional(),
  error: z.object({ message: z.string() }).optional(),
  sessionId: z.string().optional(),
});
type Message = z.output<typeof messageShape>;
type Fields = Readonly<Record<string, unknown>>;

const keys = { Tab: 9, Enter: 13, " ": 32 } as const;

const running = new Map<ChildProcess, string>();
process.on("exit", () => {
  for (const [child, folder] of running) {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});

/** It ends with the test. */
export async function startChromium(t: TestContext): Promise<Chromium> {
  const program = await requirePackage("chromium", "chromium");
  const folder = mkdtempSync(path.join(os.tmpdir(), "postern-chromium-"));
  const child = spawn(
    program,
    [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--hide-scrollbars",
      "--remote-debugging-port=0",
      `--user-data-dir=${folder}`,
      "about:blank",
    ],
    { stdio: "ignore", env: { ...process.env, TZ: "UTC" } },
  );
  running.set(child, folder);
  t.after(async () => {
    const gone = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
    child.kill("SIGKILL");
    await gone;
    running.delete(child);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  const [port = "", where = ""] = await eventually(() => {
    const lines = readFileSync(path.join(folder, "DevToolsActivePort"), "utf8").split("\n");
    if (lines.length < 2) throw new Error("chromium has not said where it listens");
    return lines;
  }, 30_000);
  const socket = new WebSocket(`ws://127.0.0.1:${port}${where}`);
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("open", () => resolve(), { once: true });
    socket.addEventListener("error", () => reject(new Error("chromium takes no connection")), { once: true });
  });

  let last = 0;
  const waiting = new Map<number, (message: Message) => void>();
  const listeners = new Map<string, (method: string, params: Fields) => void>();
  socket.addEventListener("message", ({ data }) => {
    const message = messageShape.parse(JSON.parse(String(data)));
    if (message.id !== undefined) {
      waiting.get(message.id)?.(message);
      waiting.delete(message.id);
    } else if (message.sessionId !== undefined && message.method !== undefined) {
      listeners.get(message.sessionId)?.(message.method, message.params ?? {});
    }
  });

  function send(method: string, params: Fields = {}, sessionId?: string): Promise<Fields> {
    last += 1;
    const id = last;
    return new Promise((resolve, reject) => {
      waiting.set(id, ({ result, error }) => {
        if (error === undefined) resolve(result ?? {});
        else reject(new Error(`${method}: ${error.message}`));
      });
      socket.send(JSON.stringify({ id, method, params, sessionId }));
    });
  }

  async function tab(options: TabOptions = {}): Promise<Tab> {
    const { width = 390, height = 844, dark = false, reducedMotion = false, scripts = true, language = "en" } = options;
    const { targetId } = await send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
    const session = String(sessionId);
    const complaints: string[] = [];
    const requests: { url: string; headers: Record<string, string> }[] = [];
    let loaded = 0;
    listeners.set(session, (method, params) => {
      if (method === "Page.loadEventFired") loaded += 1;
      if (method === "Log.entryAdded" || method === "Runtime.exceptionThrown") complaints.push(JSON.stringify(params));
      if (method === "Network.requestWillBeSent") {
        const { request } = z
          .object({ request: z.object({ url: z.string(), headers: z.record(z.string(), z.string()) }) })
          .parse(params);
        requests.push(request);
      }
    });
    const ask = (method: string, params: Fields = {}): Promise<Fields> => send(method, params, session);
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await ask(`${domain}.enable`);
    await ask("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 800 });
    await ask("Emulation.setEmulatedMedia", {
      features: [
        { name: "prefers-color-scheme", value: dark ? "dark" : "light" },
        { name: "prefers-reduced-motion", value: reducedMotion ? "reduce" : "no-preference" },
      ],
    });
    await ask("Network.setExtraHTTPHeaders", { headers: { "Accept-Language": language } });
    await ask("Emulation.setScriptExecutionDisabled", { value: !scripts });
    await ask("Emulation.setFocusEmulationEnabled", { enabled: true });

    async function evaluate(expression: string): Promise<unknown> {
      const { result, exceptionDetails } = await ask("Runtime.evaluate", { expression, returnByValue: true });
      if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
      return z.object({ value: z.unknown() }).parse(result).value;
    }

    return {
      async open(url): Promise<void> {
        const before = loaded;
        const { errorText } = await ask("Page.navigate", { url });
        if (errorText !== undefined) throw new Error(JSON.stringify(errorText));
        await eventually(() => {
          if (loaded === before) throw new Error("not loaded yet");
        }, 20_000);
      },
      evaluate,
      text: async () => String(await evaluate("document.body.innerText")),
      async press(key): Promise<void> {
        const code = { key, code: key === " " ? "Space" : key, windowsVirtualKeyCode: keys[key] };
        const text = key === "Enter" ? "\r" : key === " " ? " " : undefined;
        await ask("Input.dispatchKeyEvent", { type: text === undefined ? "rawKeyDown" : "keyDown", ...code, text });
        await ask("Input.dispatchKeyEvent", { type: "keyUp", ...code });
      },
      async picture(): Promise<Buffer> {
        const { data } = await ask("Page.captureScreenshot", { format: "png" });
        return Buffer.from(String(data), "base64");
      },
      complaints: () => complaints,
      requests: () => requests,
      async close(): Promise<void> {
        listeners.delete(session);
        await send("Target.closeTarget", { targetId });
      },
    };
  }

  return { tab };
}
