/**
 * Whether a browser runs on a computer or on a phone, as far as it says so itself.
 *
 * This is a courtesy and no proof: every one of these headers is chosen by whoever sends it. An iPad's Safari calls itself
 * a Macintosh and sends no client hints, and every phone's browser has a switch ("Desktop Site") that makes it send exactly
 * what a computer sends. Such a browser looks like a laptop here, and nothing in a request could tell it apart.
 *
 * What can be had is that nothing looks like a laptop by omission: every signal that is there must say "computer", they
 * must mean the same system, and one of them, the User-Agent, must be there. Whatever says nothing (no User-Agent, a
 * script, a bot) is treated like a phone, because the answer that a phone gets is the one that shows no mail.
 */

/** The headers that are looked at; lower-case names. */
export type Signals = ReadonlyMap<string, string>;

/** 1 KiB: the longest real User-Agent stays under 400 bytes. What is longer is not read at all. */
export const USER_AGENT_LIMIT_BYTES = 1024;

type System = "windows" | "mac" | "linux" | "chromeos";

/** The start of the User-Agent of every browser of today on that system: all of it is fixed but for the version. */
const systemsByAgent: readonly (readonly [start: string, system: System])[] = [
  ["mozilla/5.0 (windows nt ", "windows"],
  ["mozilla/5.0 (macintosh; ", "mac"],
  ["mozilla/5.0 (x11; cros ", "chromeos"],
  ["mozilla/5.0 (x11; linux ", "linux"],
  // Distributions and BSDs put their own name in.
  ["mozilla/5.0 (x11; ubuntu; linux ", "linux"],
  ["mozilla/5.0 (x11; fedora; linux ", "linux"],
  ["mozilla/5.0 (x11; freebsd ", "linux"],
  ["mozilla/5.0 (x11; openbsd ", "linux"],
];

/** Words that no browser on a computer has in its User-Agent. Plain search: a pattern library has been a hole elsewhere. */
const phoneWords = [
  "mobile",
  "android",
  "iphone",
  "ipad",
  "ipod",
  "windows phone",
  "blackberry",
  "bb10",
  "playbook",
  "kindle",
  "silk/",
  "opera mini",
  "opera mobi",
  "webos",
  "tizen",
  "kaios",
  "symbian",
  "harmonyos",
  "openharmony",
  "ucbrowser",
  "miuibrowser",
  "crios/",
  "fxios/",
  "edgios/",
  "opios/",
  "edga/",
  "; wv)",
  "dalvik/",
  "okhttp/",
  "cfnetwork/",
  "mowahost",
  "outlook-ios",
  "touchdown",
  // No phones, but no computers either: a television or a game console has the same kind of browser.
  "smart-tv",
  "smarttv",
  "xbox",
  "playstation",
  "oculusbrowser",
] as const;

/** Words of browser engines. A program that borrows the beginning of a browser's name seldom borrows these. */
const engineWords = ["applewebkit/", "gecko/", "trident/"] as const;

/** Sec-CH-UA-Platform: an open list (WICG UA-CH 3.8); "Android", "iOS" and whatever is new are not on this one. */
const systemsByHint: ReadonlyMap<string, System> = new Map([
  ['"windows"', "windows"],
  ['"macos"', "mac"],
  ['"linux"', "linux"],
  ['"chrome os"', "chromeos"],
  ['"chromium os"', "chromeos"],
  ['"chromeos"', "chromeos"],
]);

export function looksLike(signals: Signals): "laptop" | "phone" {
  const system = systemOf(signals.get("user-agent"));
  if (system === undefined) return "phone";
  return hintsAgree(system, signals) && namesNoPhone(signals) ? "laptop" : "phone";
}

function systemOf(userAgent: string | undefined): System | undefined {
  if (userAgent === undefined || userAgent.length > USER_AGENT_LIMIT_BYTES) return undefined;
  const agent = userAgent.toLowerCase();
  if (phoneWords.some((word) => agent.includes(word))) return undefined;
  if (!engineWords.some((word) => agent.includes(word))) return undefined;
  return systemsByAgent.find(([start]) => agent.startsWith(start))?.[1];
}

/** Client hints come from Chromium over TLS only, so that none of them has to be there. */
function hintsAgree(system: System, signals: Signals): boolean {
  const mobile = signals.get("sec-ch-ua-mobile")?.trim();
  if (mobile !== undefined && mobile !== "?0") return false;
  const platform = signals.get("sec-ch-ua-platform")?.trim().toLowerCase();
  if (platform !== undefined && systemsByHint.get(platform) !== system) return false;
  const form = signals.get("sec-ch-ua-form-factors")?.trim().toLowerCase();
  return form === undefined || form === '"desktop"';
}

/** Headers that only a phone has something to say in. */
function namesNoPhone(signals: Signals): boolean {
  const model = signals.get("sec-ch-ua-model")?.trim();
  if (model !== undefined && model !== '""') return false;
  const brands = signals.get("sec-ch-ua")?.toLowerCase() ?? "";
  if (brands.includes("android") || brands.includes("mobile")) return false;
  // An app's built-in browser on Android names the app here; on a computer only scripts set this, to one word.
  const requestedBy = signals.get("x-requested-with")?.trim().toLowerCase();
  if (requestedBy !== undefined && requestedBy !== "xmlhttprequest") return false;
  return (
    !signals.has("x-operamini-phone-ua") && !signals.has("x-operamini-features") && !signals.has("device-stock-ua")
  );
}
