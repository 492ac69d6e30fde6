/** `postern notice preview`: what a campaign says to people, before anybody is told. */
import { writeFileSync } from "node:fs";
import type { Config } from "../config/config.ts";
import { findLanguage, languageOf } from "../notice/languages.ts";
import type { Notice } from "../notice/notice.ts";
import { TEXT_LIMIT_BYTES } from "../notice/plain-text.ts";
import { createNoticeWriter } from "../notice/writer.ts";
import type { Campaign, Wave } from "../policy/campaign.ts";
import { toDeviceId } from "../policy/device.ts";
import type { App, DeviceRecord, Platform } from "../policy/device.ts";
import { judge } from "../policy/judge.ts";
import { instantOf } from "../policy/moment.ts";
import type { Requirement } from "../policy/requirement.ts";
import { requirePolicyFile } from "./campaign.ts";
import { requireConfig } from "./configuration.ts";
import type { ConfigurationOptions } from "./configuration.ts";
import { CommandFailed } from "./exit.ts";

export interface PreviewOptions extends ConfigurationOptions {
  readonly campaign?: string | undefined;
  /** A file with campaigns; without it, those of the configuration file. */
  readonly file?: string | undefined;
  readonly locale?: string | undefined;
  readonly platform: Platform;
  readonly phase: "warned" | "held";
  /** From 1. */
  readonly wave?: number | undefined;
  readonly timezone?: string | undefined;
  readonly html?: string | undefined;
}

export function previewNotice(options: PreviewOptions): void {
  const config = requireConfig(options);
  const campaigns =
    options.file === undefined
      ? config.policy.campaigns
      : requirePolicyFile(options.file, config.policy.stances).policy.campaigns;
  const campaign = requireCampaign(options.campaign, campaigns);
  const wave = requireWave(campaign, options.wave ?? 1);
  const language = findLanguage(options.locale) ?? languageOf(config.notice.language);
  const { from, subject, text, html } = write(config, campaign, wave, { ...options, locale: language.tag });
  if (options.html === undefined) {
    process.stdout.write(
      `From: ${from.name} <${from.address}>\nSubject: ${subject}\n\n${text.replaceAll("\r\n", "\n")}`,
    );
  } else {
    writeHtml(options.html, html);
  }
  const words = campaign.wording.has(language.tag) ? "words of the campaign" : "words that come with the program";
  process.stderr.write(
    `${language.tag}, ${options.phase}, ${words}; ${Buffer.byteLength(text)} of ${TEXT_LIMIT_BYTES} bytes\n`,
  );
}

/** Of a single one the id need not be said. */
function requireCampaign(id: string | undefined, campaigns: readonly Campaign[]): Campaign {
  const campaign = id === undefined && campaigns.length === 1 ? campaigns[0] : campaigns.find((one) => one.id === id);
  if (campaign !== undefined) return campaign;
  const ids = campaigns.map((one) => one.id);
  throw new CommandFailed(2, `there is no such campaign; ${ids.length === 0 ? "there is none" : ids.join(", ")}`);
}

function requireWave({ waves }: Campaign, number: number): Wave {
  const wave = waves[number - 1];
  if (wave === undefined)
    throw new CommandFailed(2, `the campaign has ${waves.length} ${waves.length === 1 ? "wave" : "waves"}`);
  return wave;
}

const dayMs = 86_400_000;
const everybody = { regions: [], groups: [], platforms: [], ownerships: [], owners: [], share: 1 };

/** Judged as a real phone would be, a day before the deadline or a day after it. */
function write(config: Config, campaign: Campaign, { deadline }: Wave, options: PreviewOptions): Notice {
  const { phase, platform, locale, timezone } = options;
  const at = deadline === undefined ? new Date() : instantOf(deadline, timezone);
  const now = new Date(at.getTime() + (phase === "held" ? dayMs : -dayMs));
  const device = phoneWithout(campaign.requirements, platform, now);
  const isAboutEnrolment = campaign.requirements.every(({ kind }) => kind === "enrolled");
  const alone: Campaign = {
    ...campaign,
    requirements: campaign.requirements.map(ofEveryVersion),
    waves: [{ audience: everybody, announce: undefined, deadline: { kind: "instant", at } }],
    mode: "enforce",
  };
  const { demands } = judge(
    { record: isAboutEnrolment ? undefined : device, person: undefined, lastKnown: undefined },
    {
      ...config.policy,
      campaigns: [alone],
      exemptions: [],
      stances: { ...config.policy.stances, notEnrolled: "allow" },
    },
    now,
  );
  if (demands.length === 0) throw new CommandFailed(1, `the campaign asks nothing of ${platform}`);
  const { helpUrl, ...notice } = config.notice;
  return createNoticeWriter({ ...notice, helpUrl: helpUrl?.href }).write({
    phase,
    findings: demands,
    device,
    deviceId: device.id,
    locale,
    timezone,
    campaigns: [campaign],
    // It leads nowhere, and is as long as the real one: nobody should be surprised by what has no room beside it.
    link: config.selfService.enabled ? config.mail.publicUrl && previewLink(config.mail.publicUrl) : undefined,
  });
}

function previewLink({ origin }: URL): string {
  return `${origin}/postern/${"this-is-a-preview-".repeat(11).slice(0, 190)}`;
}

/** Which version the phone of the preview has does not matter. */
function ofEveryVersion(requirement: Requirement): Requirement {
  return requirement.kind === "absent" ? { ...requirement, versions: undefined } : requirement;
}

const models: Readonly<Record<Platform, string | undefined>> = {
  ios: "iPhone 17",
  ipados: "iPad Pro",
  android: "Pixel 10",
  macos: "MacBook Air",
  windows: "Surface",
  other: undefined,
};

/** A phone that fulfils none of this. */
function phoneWithout(requirements: readonly Requirement[], platform: Platform, now: Date): DeviceRecord {
  const id = toDeviceId("PREVIEW1");
  if (id === undefined) throw new TypeError("the id of the preview is none");
  const asks = (kind: Requirement["kind"]): boolean => requirements.some((requirement) => requirement.kind === kind);
  const reportedAt = asks("reported") ? undefined : now;
  return {
    id,
    owner: undefined,
    email: undefined,
    groups: [],
    region: undefined,
    timezone: undefined,
    locale: undefined,
    platform,
    osVersion: asks("os") ? "1.0" : undefined,
    securityPatch: "2000-01-01",
    model: models[platform],
    ownership: "corporate",
    appsScope: "all",
    apps: requirements.flatMap((requirement) => bannedApp(requirement, platform)),
    appsAsked: [],
    appsAt: reportedAt,
    deviceAt: reportedAt,
    enrolledAt: undefined,
    firstSeenAt: undefined,
    enrolled: undefined,
    contested: undefined,
    compromised: true,
    source: undefined,
    sourceDeviceId: undefined,
    compliance: asks("source-compliant") ? "noncompliant" : undefined,
    complianceUntil: undefined,
    reasons: [],
    override: undefined,
    faults: [],
  };
}

function bannedApp(requirement: Requirement, platform: Platform): App[] {
  if (requirement.kind !== "absent") return [];
  const { name, ids } = requirement;
  const [id] = ids.get(platform) ?? (platform === "ipados" ? ids.get("ios") : undefined) ?? [];
  return id === undefined ? [] : [{ id, name, version: undefined }];
}

function writeHtml(file: string, html: string): void {
  try {
    writeFileSync(file, html);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw new CommandFailed(1, `the file cannot be written: ${code}`);
  }
}
