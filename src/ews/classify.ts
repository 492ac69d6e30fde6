/**
 * Whether a mail program runs on a computer, as far as it says so itself.
 *
 * This is a courtesy and no proof: every one of these headers is chosen by whoever sends it, and an app on a phone may call
 * itself Outlook for Mac. What can be had is that nothing looks like a computer by omission: the User-Agent must begin as
 * that of a program which exists on computers only, and nothing else in the request may speak for a phone. Whatever says
 * nothing, or is not known here, is "other".
 */
import type { MailProgram } from "../policy/mail-program.ts";

/** 1 KiB: the longest real User-Agent stays under 400 bytes. What is longer is not read at all. */
export const USER_AGENT_LIMIT_BYTES = 1024;

interface DesktopProgram {
  /** How the User-Agent begins, lower-case. */
  readonly begins: readonly string[];
  /** Of each of these lists one word must be in it. */
  readonly names?: readonly (readonly string[])[];
}

const desktopPrograms: readonly DesktopProgram[] = [
  // MacOutlook/16.78.23100802 (Intelx64 Mac OS X Version 13.6 (Build 22G120)), and its forerunner of Office 2008.
  { begins: ["macoutlook/", "entourage/"] },
  // Mac OS X/10.6.8 (10K549); ExchangeWebServices/1.3 (61); Mail/4.6 (1085), or macOS/13.0 (22A380) CalendarAgent/960.
  // The same services on an iPhone begin with "iOS/".
  {
    begins: ["mac os x/", "mac_os_x/", "mac+os+x/", "macos/"],
    names: [
      [
        "exchangewebservices/",
        "exchangesyncd/",
        "mail/",
        "calendaragent/",
        "addressbook",
        "contacts",
        "accountsd/",
        "dataaccessd/",
        "remindd/",
        "notes/",
      ],
    ],
  },
  // Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17328; Pro). Office on phones names another system.
  { begins: ["microsoft office/", "microsoft outlook"], names: [["windows nt "]] },
  // Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.0
  {
    begins: ["mozilla/5.0 (windows nt ", "mozilla/5.0 (macintosh; ", "mozilla/5.0 (x11; "],
    names: [[" gecko/"], [" thunderbird/"]],
  },
  { begins: ["evolution/"] },
  { begins: ["em client/", "emclient/"] },
];

/** Words that no mail program on a computer has in its User-Agent. */
const phoneWords = [
  "iphone",
  "ipad",
  "ipod",
  "ios/",
  "ios ",
  "ios;",
  "watchos",
  "visionos",
  "android",
  "mobile",
  "windows phone",
  "blackberry",
  "bb10",
  "tizen",
  "harmonyos",
  "kaios",
  "symbian",
  "outlook-ios",
  "touchdown",
  "dalvik/",
  "okhttp/",
] as const;

const computers: ReadonlySet<string> = new Set(['"windows"', '"macos"', '"linux"', '"chrome os"', '"chromium os"']);

/** @param allowAgents how the User-Agents begin that the operator lets in; without case. */
export function createClassify(allowAgents: readonly string[]): (headers: ReadonlyMap<string, string>) => MailProgram {
  const listed = allowAgents.map((agent) => agent.toLowerCase());
  return function classify(headers: ReadonlyMap<string, string>): MailProgram {
    const agent = headers.get("user-agent")?.toLowerCase();
    if (agent === undefined || agent.length > USER_AGENT_LIMIT_BYTES) return "other";
    // First: a room panel may well run Android, and the operator has named it.
    if (listed.some((beginning) => agent.startsWith(beginning))) return "listed";
    return isDesktopProgram(agent) && nothingNamesPhone(headers) ? "laptop" : "other";
  };
}

function isDesktopProgram(agent: string): boolean {
  if (phoneWords.some((word) => agent.includes(word))) return false;
  return desktopPrograms.some(
    ({ begins, names = [] }) =>
      begins.some((beginning) => agent.startsWith(beginning)) &&
      names.every((words) => words.some((word) => agent.includes(word))),
  );
}

/** Mail programs send none of these. Where one is there, something else has borrowed a mail program's name. */
function nothingNamesPhone(headers: ReadonlyMap<string, string>): boolean {
  const mobile = headers.get("sec-ch-ua-mobile")?.trim() ?? "?0";
  const platform = headers.get("sec-ch-ua-platform")?.trim().toLowerCase();
  const model = headers.get("sec-ch-ua-model")?.trim() ?? '""';
  return (
    mobile === "?0" &&
    (platform === undefined || computers.has(platform)) &&
    model === '""' &&
    // An app's built-in browser on Android names the app here.
    !headers.has("x-requested-with")
  );
}
