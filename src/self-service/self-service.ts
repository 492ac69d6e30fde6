/**
 * The pages below `/postern`: about one phone, for whoever has the link from its notice. Such a link may show what the notice says, ask
 * for a new check and, where owners may, say that it is a managed phone of theirs; nothing else. Its token is never logged or sent on.
 */
import { Refusal } from "../gateway/errors.ts";
import type { PageReply, PageRequest, Pages } from "../gateway/own-pages.ts";
import type { ConnectorAbilities } from "../inventory/connector.ts";
import type { Rechecks } from "../inventory/recheck.ts";
import type { Registration, RegistrationResult, Registrations } from "../inventory/registrations.ts";
import type { Language } from "../notice/language.ts";
import { languageFor, languageOf } from "../notice/languages.ts";
import { datumOf } from "../notice/phrase.ts";
import type { Letters } from "../notice/writer.ts";
import { platformOf } from "../notice/details.ts";
import type { DeviceId } from "../policy/device.ts";
import { languageTags } from "../policy/wording.ts";
import type { LanguageTag } from "../policy/wording.ts";
import { StoreUnavailable } from "../store/store.ts";
import { createEvents } from "./events.ts";
import type { Follow } from "./events.ts";
import type { Link, Links } from "./links.ts";
import { isUnknown, letterOf, noteClear } from "./look.ts";
import type { Look, LookAt } from "./look.ts";
import { plainLetter, writeMessage, writePage } from "./page.ts";
import type { PageCase } from "./page.ts";
import { createRates } from "./rates.ts";
import { alwaysSaid, contentPolicy, mustBe, mustBeOurs } from "./safeguards.ts";
import { pageScript } from "./script.ts";
import type { Streams } from "./streams.ts";
import { wordsIn } from "./words/all.ts";
import type { SelfServiceWords, Told } from "./words/words.ts";

/** The management systems that can be asked about a phone. */
export interface Sources {
  /** Whether any of them could be. Where there is none, nobody has to be made to wait for it. */
  readonly areThere: () => boolean;
  /** How long that one usually takes; undefined where nobody knows. */
  readonly refreshOf: (source: string) => ConnectorAbilities["refresh"];
}

export interface SelfServiceOptions {
  readonly links: Pick<Links, "read">;
  readonly look: LookAt;
  readonly letters: Letters;
  readonly rechecks: Rechecks;
  readonly registrations: Registrations;
  readonly streams: Streams;
  readonly follow: Follow;
  readonly sources: Sources;
  readonly organisation: string;
  readonly helpUrl: string | undefined;
  readonly language: LanguageTag;
  /** The origin that the links name; pages may also be reached by another name. */
  readonly publicUrl: URL;
  readonly report: (event: SelfServiceEvent) => void;
  /** Of what goes wrong beside an answer. */
  readonly onFailure: (cause: unknown) => void;
  readonly now: () => Date;
}

type PageResult = "shown" | "too-old" | "no-such-page" | "too-many" | "away";
type AskResult = "asked" | "under-way" | "too-soon" | "of-no-use" | "too-many" | "away";

export type SelfServiceEvent =
  | { readonly kind: "page"; readonly result: PageResult }
  | { readonly kind: "check"; readonly result: AskResult; readonly device: DeviceId }
  | { readonly kind: "register"; readonly result: RegistrationResult | "too-many" | "away"; readonly device: DeviceId };

/** 60 at once, and one each second: a page that follows a check fetches itself some ten times. */
const DEVICE_BURST_LIMIT = 60;
const DEVICE_PER_SECOND = 1;
/** 2 000 at once, and 50 each second: a whole office may be behind one address, on the day of a deadline. */
const NETWORK_BURST_LIMIT = 2_000;
const NETWORK_PER_SECOND = 50;
/** 20 000 phones, and as many networks, are remembered for it. */
const CLIENTS_LIMIT = 20_000;
/** A check costs the store three trips, a registration more, and a page one. */
const deedCost = 5;
const actions = new Set<string | undefined>([undefined, "check", "register", "events"]);
const streamsAgainSeconds = 30;
const awayAgainSeconds = 60;

type Answer = Extract<PageReply, { kind: "answer" }>;

export function createSelfService(options: SelfServiceOptions): Pages {
  const { links, look, letters, rechecks, streams, report, now } = options;
  const events = createEvents({ look, rechecks, follow: options.follow, onFailure: options.onFailure });
  const organisation = datumOf(options.organisation);
  if (organisation === undefined) throw new TypeError("organisation is empty");
  const clock = (): number => performance.now();
  const ofDevice = createRates({
    burst: DEVICE_BURST_LIMIT,
    perSecond: DEVICE_PER_SECOND,
    clients: CLIENTS_LIMIT,
    now: clock,
  });
  const ofNetwork = createRates({
    burst: NETWORK_BURST_LIMIT,
    perSecond: NETWORK_PER_SECOND,
    clients: CLIENTS_LIMIT,
    now: clock,
  });
  const script = Buffer.from(pageScript);

  return async function pages(request: PageRequest): Promise<PageReply> {
    const [token = "", action, ...more] = request.segments;
    const wait = ofNetwork(request.network);
    if (wait !== undefined) return tooMany(request, wait);
    if (token === "page.js" && action === undefined) return scriptAnswer(request);
    if (more.length > 0 || !actions.has(action)) throw new Refusal("not-routed", 404, "no such page of the gate's own");

    const reading = links.read(token, now());
    if (reading.kind !== "good") {
      report({ kind: "page", result: reading.kind === "too-old" ? "too-old" : "no-such-page" });
      // 410: it was there once, and is gone for good.
      const [httpStatus, told] =
        reading.kind === "too-old" ? ([410, "tooOld"] as const) : ([404, "noSuchPage"] as const);
      return message(request, httpStatus, (words) => words[told]);
    }
    const { link } = reading;
    const deed = action === "check" || action === "register" ? action : undefined;
    const longer = ofDevice(link.device, deed === undefined ? 1 : deedCost);
    if (longer !== undefined) {
      if (deed !== undefined) report({ kind: deed, result: "too-many", device: link.device });
      return tooMany(request, longer);
    }
    try {
      if (deed !== undefined) return await act(request, token, deed === "check" ? check : register, link);
      return action === "events" ? await open(request, link) : await show(request, token, link);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      report(
        deed === undefined ? { kind: "page", result: "away" } : { kind: deed, result: "away", device: link.device },
      );
      return message(request, 503, (words) => words.away, awayAgainSeconds);
    }
  };

  async function show(request: PageRequest, token: string, link: Link): Promise<PageReply> {
    mustBe(request, "GET", "HEAD");
    const seen = await look(link);
    report({ kind: "page", result: "shown" });
    const language = languageOfPage(request, seen);
    const registration: Registration = isUnknown(seen) ? await options.registrations.look(link) : { kind: "none" };
    return answer(request, 200, language.tag, writePage(caseOf(seen, registration, language, `/postern/${token}`)));
  }

  function caseOf(seen: Look, registration: Registration, language: Language, path: string): PageCase {
    const { record, standing, at, mark, verdict } = seen;
    const isOthers = verdict.demands.some(({ kind }) => kind === "owner-mismatch");
    // As in the notice: of somebody else's phone not even the kind is told.
    const device = isOthers ? undefined : record;
    const spell = (moment: Date, length: "clock" | "offset"): string =>
      letters.spellMoment(moment, device?.timezone, language, length) ?? "";
    return {
      letter: letterOf(seen, letters, language),
      standing,
      registration,
      name: language.names[platformOf(device) ?? "unknown"],
      now: at,
      clock: (moment) => spell(moment, "clock"),
      offset: spell(at, "offset"),
      refresh: standing.source === undefined ? undefined : options.sources.refreshOf(standing.source),
      path,
      mark,
    };
  }

  /** What is asked for twice is asked once: the answer is the page in any case, which says how far it has come. */
  async function act(
    request: PageRequest,
    token: string,
    deed: (link: Link) => Promise<void>,
    link: Link,
  ): Promise<PageReply> {
    mustBe(request, "POST");
    mustBeOurs(request);
    await deed(link);
    const language = wishedIn(request);
    const query = language === undefined ? "" : `?lang=${language}`;
    return {
      kind: "answer",
      // 303: the page that follows is fetched anew, and loading it again asks for nothing.
      httpStatus: 303,
      headers: [["Location", `/postern/${token}${query}`], ...alwaysSaid],
      body: undefined,
    };
  }

  async function check(link: Link): Promise<void> {
    const { id, standing } = await look(link);
    report({ kind: "check", result: standing.mayAsk ? await ask(id) : "of-no-use", device: id });
  }

  async function register(link: Link): Promise<void> {
    const seen = await look(link);
    const result = isUnknown(seen) ? await options.registrations.register(link) : "of-no-use";
    report({ kind: "register", result, device: seen.id });
    // From here on it is a phone like others: the page goes on as after a check.
    const bound = result === "bound" ? await look(link) : undefined;
    if (bound === undefined) return;
    await ask(bound.id);
    await noteClear(rechecks, bound);
  }

  async function ask(id: DeviceId): Promise<AskResult> {
    let asked = await rechecks.ask(id, "page", now());
    if (asked.kind === "under-way" && asked.recheck.steps.clear !== undefined) {
      // The phone was cleared, and before it came for its mail something else was found: that wish has had its answer.
      await rechecks.advance(id, asked.recheck.number, { end: "still-there", at: now() });
      asked = await rechecks.ask(id, "page", now());
    }
    if (asked.kind === "asked" && !options.sources.areThere())
      await rechecks.advance(id, asked.recheck.number, { end: "no-source", at: now() });
    return asked.kind;
  }

  async function open(request: PageRequest, link: Link): Promise<PageReply> {
    mustBe(request, "GET");
    const place = streams.reserve(link.device, request.network);
    if (place === undefined) return message(request, 429, (words) => words.tooMany, streamsAgainSeconds);
    return {
      kind: "stream",
      headers: [
        ["Content-Type", "text/event-stream; charset=utf-8"],
        // nginx would keep it back until it is worth sending on.
        ["X-Accel-Buffering", "no"],
        ...alwaysSaid,
      ],
      open(stream): void {
        place.hold(stream);
        events.tell(link, stream);
      },
    };
  }

  function languageOfPage(request: PageRequest, { record }: Look): Language {
    const wished = wishedIn(request);
    if (wished !== undefined) return languageOf(wished);
    return letters.languageOf({ device: record, locale: request.headers.get("accept-language") });
  }

  function message(
    request: PageRequest,
    httpStatus: number,
    told: (words: SelfServiceWords) => Told,
    retryAfterSeconds?: number,
  ): Answer {
    const wished = wishedIn(request);
    const { tag } =
      wished === undefined
        ? languageFor(request.headers.get("accept-language"), languageOf(options.language))
        : languageOf(wished);
    const about = plainLetter(tag, organisation ?? { datum: "" }, options.helpUrl);
    const written = answer(request, httpStatus, tag, writeMessage(told(wordsIn(tag)), about));
    if (retryAfterSeconds === undefined) return written;
    return { ...written, headers: [...written.headers, ["Retry-After", String(retryAfterSeconds)]] };
  }

  function tooMany(request: PageRequest, retryAfterSeconds: number): Answer {
    report({ kind: "page", result: "too-many" });
    return message(request, 429, (words) => words.tooMany, retryAfterSeconds);
  }

  function answer(request: PageRequest, httpStatus: number, language: string, body: Uint8Array): Answer {
    return {
      kind: "answer",
      httpStatus,
      headers: [
        ["Content-Type", "text/html; charset=utf-8"],
        ["Content-Language", language],
        ["Content-Security-Policy", contentPolicy(request.host, options.publicUrl)],
        ...alwaysSaid,
      ],
      body,
    };
  }

  function scriptAnswer(request: PageRequest): Answer {
    mustBe(request, "GET", "HEAD");
    return {
      kind: "answer",
      httpStatus: 200,
      headers: [
        ["Content-Type", "text/javascript; charset=utf-8"],
        ["Cache-Control", "public, max-age=300"],
        ["X-Content-Type-Options", "nosniff"],
        ["Cross-Origin-Resource-Policy", "same-origin"],
      ],
      body: script,
    };
  }
}

/** What a mail program or a tracker hangs on to an address is not looked at. */
function wishedIn({ query }: PageRequest): LanguageTag | undefined {
  const wished = /(?:^|&)lang=([A-Za-z-]{2,10})(?:&|$)/.exec(query ?? "")?.[1];
  return languageTags.find((tag) => tag === wished);
}
