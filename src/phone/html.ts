/** What an HTML mail says, without how it looks. Not a parser of HTML: enough for a preview and a terminal. */

const blocks =
  "address|article|blockquote|center|dd|div|dl|dt|fieldset|footer|form|h[1-6]|header|hr|ol|p|pre|section|table|tr|ul";
const entities = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
  ["nbsp", "\u00a0"],
  ["ndash", "–"],
  ["mdash", "—"],
  ["hellip", "…"],
  ["lsquo", "‘"],
  ["rsquo", "’"],
  ["ldquo", "“"],
  ["rdquo", "”"],
  ["laquo", "«"],
  ["raquo", "»"],
  ["bull", "•"],
  ["middot", "·"],
  ["euro", "€"],
  ["copy", "©"],
  ["reg", "®"],
  ["auml", "ä"],
  ["ouml", "ö"],
  ["uuml", "ü"],
  ["Auml", "Ä"],
  ["Ouml", "Ö"],
  ["Uuml", "Ü"],
  ["szlig", "ß"],
  ["eacute", "é"],
  ["egrave", "è"],
  ["agrave", "à"],
  ["ccedil", "ç"],
]);

/** Tags end before the next one begins, so that a mail of nothing but beginnings costs no more than its length. */
export function textOfHtml(html: string): string {
  return html
    .replace(/<!--[\s\S]*?(-->|$)/gu, "")
    .replace(/<(script|style|head|title)\b[^<>]*>[\s\S]*?(<\/\1\s*>|$)/giu, "")
    .replace(/\s+/gu, " ")
    .replace(/<br\b[^<>]*>/giu, "\n")
    .replace(/<li\b[^<>]*>/giu, "\n• ")
    .replace(/<\/(td|th)\s*>/giu, " ")
    .replace(new RegExp(`</?(${blocks})\\b[^<>]*>`, "giu"), "\n")
    .replace(/<[^>]*(>|$)/gu, "")
    .replace(/&(#x[0-9a-f]{1,6}|#\d{1,7}|[a-z]{2,8});/giu, decodeEntity)
    .replace(/ *\n */gu, "\n")
    .replace(/\n{3,}/gu, "\n\n")
    .trim();
}

function decodeEntity(whole: string, name: string): string {
  if (!name.startsWith("#")) return entities.get(name) ?? whole;
  const code = name[1]?.toLowerCase() === "x" ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
  return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : "\ufffd";
}
