/**
 * The one spelling of a request target. What is matched against the routes and what goes upstream is this spelling; a
 * target that two servers could take for two different places is refused. The class is what counts, not the payload:
 * IIS, nginx, Apache and SOGo each unfold different things, so nothing is left to unfold.
 */
import { Refusal } from "./errors.ts";

export interface Target {
  /** Decoded segments, letter case as sent. Never empty strings, never "." or "..". */
  readonly segments: readonly string[];
  /** A slash at the end names another resource for most webmail programs, so it is kept. */
  readonly trailingSlash: boolean;
  /** As sent, without the "?"; printable ASCII without "#" and "\". */
  readonly query: string | undefined;
}

/** 4 KiB: the longest real ActiveSync target stays under 1 KiB, the longest of a webmail under 3. */
export const TARGET_LIMIT_BYTES = 4096;

const printable = /^[\x21-\x7e]+$/;

/** @throws Refusal `target-ambiguous`, or `head-too-large` past the limit. */
export function parseTarget(raw: string): Target {
  if (raw.length > TARGET_LIMIT_BYTES) throw new Refusal("head-too-large", 414, "target too long");
  if (!printable.test(raw)) throw ambiguous("byte outside printable ASCII in target");
  // A fragment never leaves a client; some servers cut it off and some match it. A backslash is a slash to IIS.
  if (raw.includes("#") || raw.includes("\\")) throw ambiguous("fragment or backslash in target");
  if (!raw.startsWith("/")) throw ambiguous("target is not in origin form");
  if (raw.startsWith("//")) throw ambiguous("target starts with an authority");
  const mark = raw.indexOf("?");
  const path = mark === -1 ? raw : raw.slice(0, mark);
  const names = path.slice(1).split("/");
  return {
    // An empty segment in the middle means the same everywhere once it is gone.
    segments: names.filter((name) => name !== "").map(decodeSegment),
    trailingSlash: path.endsWith("/"),
    query: mark === -1 ? undefined : raw.slice(mark + 1),
  };
}

/** Characters that stand for themselves in a path (RFC 3986, 3.3) and for nothing else in any server that we know. */
const plainInPath = /^[A-Za-z0-9!$&'()*+,=@._~%-]*$/;
const badEscape = /%(?![0-9A-Fa-f]{2})/;
/** Escapes that some server turns into structure: control bytes, `#`, `%`, `.`, `/`, `:`, `;`, `?`, `\`, DEL. */
const structuralEscape = /%(?:[01][0-9a-f]|23|25|2e|2f|3a|3b|3f|5c|7f)/i;
/** ASP.NET takes `(S(…))` for a session and drops it, Windows takes `~1` for a short name. */
const serverMagic = /^\([A-Za-z]\(|~\d/;

function decodeSegment(raw: string): string {
  if (!plainInPath.test(raw)) throw ambiguous("reserved character in path");
  if (badEscape.test(raw) || structuralEscape.test(raw)) throw ambiguous("ambiguous escape in path");
  const segment = decodeUtf8Escapes(raw);
  if (segment === "." || segment === "..") throw ambiguous("dot segment");
  // Windows drops dots and spaces at the end of a name.
  if (/[. ]$/.test(segment) || segment.startsWith(" ")) throw ambiguous("segment ends in a dot or space");
  if (serverMagic.test(segment)) throw ambiguous("segment has a second meaning");
  // A compatibility form (fullwidth letters) is another name to us and the same one to a server that folds it.
  if (segment.normalize("NFKC") !== segment.normalize("NFC")) throw ambiguous("compatibility characters in path");
  return segment;
}

/** @throws Refusal where the escapes are no valid UTF-8 (overlong forms, halves of surrogates, C1 bytes). */
function decodeUtf8Escapes(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch {
    throw ambiguous("escapes are no UTF-8");
  }
}

/** The only spelling of a segment that goes upstream. */
export function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replaceAll(/%(?:24|26|2B|2C|3D|40)/g, (escape) => decodeURIComponent(escape));
}

function ambiguous(detail: string): Refusal {
  return new Refusal("target-ambiguous", 400, detail);
}
