/**
 * What people call the things that management systems report by id. Used only to word a notice: what is banned stands in
 * the campaigns.
 */
import type { DeviceRecord } from "../policy/device.ts";
import type { LanguageTag } from "../policy/wording.ts";

/** Lower-case bundle ids and package names. */
const appNames: ReadonlyMap<string, string> = new Map([
  ["com.zhiliaoapp.musically", "TikTok"],
  ["com.ss.android.ugc.trill", "TikTok"],
  ["com.ss.iphone.ugc.ame", "TikTok"],
  ["com.zhiliaoapp.musically.go", "TikTok Lite"],
  ["com.ss.android.ugc.tiktok.lite", "TikTok Lite"],
  ["com.ss.iphone.ugc.tiktok.lite", "TikTok Lite"],
  ["com.ss.android.ugc.aweme", "Douyin"],
  ["com.ss.iphone.ugc.aweme", "Douyin"],
  ["com.ss.android.ugc.aweme.lite", "Douyin Lite"],
  ["com.ss.iphone.ugc.aweme.lite", "Douyin Lite"],
  ["com.lemon.lvoverseas", "CapCut"],
  ["com.tencent.mm", "WeChat"],
  ["com.tencent.xin", "WeChat"],
]);

/** The app behind a reason, where the reason is the id of one: known to us, or named in the phone's own list. */
export function appNamed(reason: string, device: DeviceRecord | undefined): string | undefined {
  const id = reason.trim().toLowerCase();
  return appNames.get(id) ?? device?.apps?.find((app) => app.id.toLowerCase() === id)?.name;
}

/** What Microsoft calls its app in each language. */
const companyPortal: Readonly<Record<LanguageTag, string>> = {
  en: "Company Portal",
  de: "Unternehmensportal",
  fr: "Portail d’entreprise",
  es: "Portal de empresa",
  ja: "ポータル サイト",
  "zh-Hans": "公司门户",
};

/** The app by which people see their management system; by a word in the name of the source. */
const managers: readonly (readonly [word: string, app: string | Readonly<Record<LanguageTag, string>>])[] = [
  ["intune", companyPortal],
  ["workspace", "Intelligent Hub"],
  ["airwatch", "Intelligent Hub"],
  ["jamf", "Self Service"],
];

export function managerNamed(source: string | undefined, tag: LanguageTag): string | undefined {
  const folded = source?.toLowerCase() ?? "";
  const app = managers.find(([word]) => folded.includes(word))?.[1];
  return typeof app === "object" ? app[tag] : app;
}
