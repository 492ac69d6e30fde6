/** What the rest of Postern gets to see of the configuration: checked, resolved, nothing left to parse. */
import type { Policy } from "../policy/campaign.ts";
import type { HeldFolders } from "../policy/held-folders.ts";
import type { EwsStance } from "../policy/mail-program.ts";
import type { LanguageTag } from "../policy/wording.ts";
import type { AdminRole } from "./admin-roles.ts";
import type { ListenAddress, Network } from "./addresses.ts";
import type { Origin, Path } from "./fault.ts";
import type { ParsedConnector } from "./inventory-schema.ts";
import type { ConfigSources } from "./sources.ts";
import type { Secret } from "./secret.ts";

export interface Config {
  readonly role: Role;
  readonly mail: MailConfig;
  readonly admin: AdminConfig;
  readonly upstream: UpstreamConfig;
  /** At least one, none of them overlapping another. */
  readonly routes: readonly RouteConfig[];
  readonly store: StoreConfig;
  /** Where `openInstallationSecret` finds or makes the installation's own secret. */
  readonly secret: {
    readonly file: string;
    /** The one before, for what was signed with it. */
    readonly previous: Secret<Uint8Array> | undefined;
  };
  /** Campaigns, stances, the age of reports and the home domains, as `judge` takes them. */
  readonly policy: Policy;
  readonly inventory: InventoryConfig;
  readonly phoneBrowser: "page" | "allow";
  readonly ews: {
    readonly stance: EwsStance;
    /** How the User-Agents of programs begin that pass like those of laptops. */
    readonly allowAgents: readonly string[];
  };
  readonly heldFolders: HeldFolders;
  readonly notice: NoticeConfig;
  readonly selfService: { readonly enabled: boolean; readonly linkHours: number };
  /** Undefined: people get no letters. */
  readonly letters: LettersConfig | undefined;
  readonly preview: {
    /** People in any form of their names, and groups: every preview lists their phones. */
    readonly important: readonly string[];
  };
  readonly audit: {
    /** The folder of this machine's journal. */
    readonly journal: string;
    readonly keepDays: number;
  };
  readonly log: { readonly level: LogLevel };
  readonly lastKnown: { readonly file: string | undefined; readonly allowHours: number };
  /** What it was loaded from, for a thread that loads it anew. */
  readonly sources: Secret<ConfigSources>;
  /** Every setting as it was written or defaulted, secrets masked, with its origin: what `showConfig` prints. */
  readonly settings: readonly Setting[];
}

interface MailConfig {
  readonly listen: ListenAddress;
  readonly tls: TlsIdentity | undefined;
  /** Whose X-Forwarded-For is believed. Empty: nobody's. */
  readonly trustedProxies: readonly Network[];
  /** Lower-case host names, an IPv6 address in brackets, no ports. Empty: every well-formed one. */
  readonly hosts: readonly string[];
  /** Scheme, host and port only. */
  readonly publicUrl: URL | undefined;
  readonly limits: {
    /** Undefined: derived from what the process may open. */
    readonly maxConnections: number | undefined;
    readonly maxConnectionsPerAddress: number;
    readonly maxRequestsPerCredential: number;
    readonly strangeDevicesPerHour: number;
    readonly bodyBytes: number;
  };
}

interface AdminConfig {
  readonly listen: ListenAddress;
  /** As `mail.hosts`. Empty: addresses and localhost only. */
  readonly hosts: readonly string[];
  readonly access: {
    readonly breakGlassFile: string;
    readonly localTokens: boolean;
    /** A JSON Web Key Set that `readTokenKeys` has read once. */
    readonly keysFile?: string | undefined;
    readonly issuer?: string | undefined;
    readonly audience: string;
    readonly actorClaim: string;
    readonly rolesClaim: string;
    readonly roles: Readonly<Record<AdminRole, readonly string[]>>;
  };
}

export interface TlsIdentity {
  /** PEM: the certificate and its chain. */
  readonly cert: string;
  /** PEM. */
  readonly key: Secret<string>;
}

interface UpstreamConfig {
  readonly url: URL;
  /** PEM. Undefined: the authorities that Node knows. */
  readonly ca: string | undefined;
  readonly connectTimeoutMs: number;
  readonly responseTimeoutMs: number;
  readonly idleSocketMs: number;
}

interface RouteConfig {
  readonly path: string;
  readonly protocol: "activesync" | "browser" | "ews" | "autodiscover";
  /** Undefined: the upstream of everybody. */
  readonly upstream: URL | undefined;
  readonly websocket: boolean;
  /** Absolute paths below `path` that are not routed. */
  readonly except: readonly string[];
}

export type StoreConfig = RedisConfig | { readonly kind: "embedded"; readonly file: string };

interface RedisConfig {
  readonly kind: "redis";
  readonly host: string;
  readonly port: number;
  readonly database: number;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: Secret<string> | undefined;
  /** PEM; only where `tls`. */
  readonly ca: string | undefined;
  readonly prefix: string;
}

interface NoticeConfig {
  readonly organisation: string;
  readonly from: { readonly name: string; readonly address: string };
  readonly helpUrl: URL | undefined;
  /** For people whose own language is not there. */
  readonly language: LanguageTag;
}

interface LettersConfig {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: Secret<string> | undefined;
  readonly perMinute: number;
}

interface InventoryConfig {
  /** Undefined: there are no connectors, and nobody listens. */
  readonly listen: ListenAddress | undefined;
  readonly tls: TlsIdentity | undefined;
  readonly privacy: "all" | "rules-only";
  readonly join: { readonly selfRegistration: "off" | "approve" | "allow"; readonly outlookMobile: "refuse" | "owner" };
  readonly connectors: readonly ConnectorConfig[];
}

/** One management system, as it is written; `ca`, where a kind has it, is PEM and no file any more. */
export type ConnectorConfig = ParsedConnector;

export const roles = ["gateway", "sync", "all"] as const;
export type Role = (typeof roles)[number];

export const logLevels = ["debug", "info", "warn", "error"] as const;
type LogLevel = (typeof logLevels)[number];

/** One value of the effective configuration. */
export interface Setting {
  readonly path: Path;
  /** A scalar, a list of scalars, or an empty list or mapping. A secret stands here as `***`. */
  readonly value: unknown;
  readonly origin: Origin;
}
