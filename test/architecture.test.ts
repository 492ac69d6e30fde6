/** Who may import whom. ARCHITECTURE.md shows the same table; an import that breaks it fails here. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { SyntaxKind } from "typescript/unstable/ast";
import { createScanner } from "typescript/unstable/ast/scanner";
import { tableAfter } from "./support/markdown.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

/** A folder to the folders, or single files of theirs, that it may import. Its own files it may always. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  policy: [],
  store: ["policy"],
  telemetry: ["policy/device.ts", "store/store.ts"],
  campaign: ["policy", "store/store.ts", "store/record.ts", "config/policy-document.ts", "config/fault.ts"],
  audit: ["policy", "store/store.ts", "store/documents.ts", "store/audit-log.ts"],
  letters: ["policy", "notice", "store/store.ts", "campaign"],
  inventory: ["policy", "store/store.ts", "store/documents.ts", "store/record.ts", "store/field-values.ts"],
  connectors: ["policy/device.ts", "inventory", "config/config.ts", "plist"],
  sync: ["policy", "store/store.ts", "store/documents.ts", "store/leadership.ts", "inventory", "connectors"],
  "self-service": ["policy", "notice", "store/store.ts", "inventory", "gateway/own-pages.ts", "gateway/errors.ts"],
  notice: ["policy"],
  gateway: ["policy", "notice/notice.ts", "store/store.ts", "telemetry"],
  activesync: ["policy", "notice/notice.ts", "store/store.ts", "gateway/protocol.ts", "gateway/errors.ts"],
  browser: ["notice", "gateway/protocol.ts", "gateway/errors.ts"],
  ews: ["policy", "notice", "gateway/protocol.ts", "gateway/errors.ts", "xml"],
  xml: [],
  plist: ["xml"],
  autodiscover: ["policy", "gateway/protocol.ts", "gateway/errors.ts"],
  admin: [
    "policy",
    "store/store.ts",
    "store/documents.ts",
    "store/record.ts",
    "campaign",
    "config/policy-document.ts",
    "config/token-keys.ts",
    "config/admin-roles.ts",
    "gateway/network.ts",
    "inventory/recheck.ts",
    "inventory/rechecks.ts",
    "sync/connector-state.ts",
    "telemetry",
  ],
  config: ["policy"],
  phone: ["activesync/wbxml.ts", "activesync/document.ts"],
  demo: ["activesync/wbxml.ts", "activesync/document.ts"],
  cli: [
    "policy",
    "store",
    "telemetry",
    "campaign",
    "audit",
    "letters",
    "notice",
    "inventory",
    "connectors",
    "sync",
    "config",
    "phone",
    "demo",
    "admin/token.ts",
    "app.ts",
    "parts.ts",
    "sync-app.ts",
    "version.ts",
  ],
};

/** The files of `src` itself put the folders together. */
const wiring: ReadonlySet<string> = new Set([
  "main.ts",
  "app.ts",
  "operators.ts",
  "parts.ts",
  "reports.ts",
  "sync-app.ts",
  "sync-part.ts",
  "sync-thread.ts",
  "sync-worker.ts",
  "version.ts",
]);

/** `activesync/document.ts` and what it stands on know bytes and tags, and nothing of a gate. */
const codec = ["wbxml.ts", "document.ts", "code-pages.ts", "tag-codes.ts", "wbxml-error.ts"].map(
  (name) => `activesync/${name}`,
);

/** Each package has one owner. Node's own modules are free, but for the database, which is as good as a package. */
const packages: Readonly<Record<string, RegExp>> = {
  commander: /^cli\//,
  express: /^admin\//,
  "http-proxy-middleware": /^gateway\/proxy\.ts$/,
  ioredis: /^store\/redis[a-z-]*\.ts$/,
  jose: /^connectors\//,
  jsonwebtoken:
    /^(gateway\/credential|admin\/token|connectors\/android-management\/service-account|self-service\/links)\.ts$/,
  "node:sqlite": /^(store\/embedded[a-z-]*|audit\/journal)\.ts$/,
  nodemailer: /^(activesync\/notice-mime|letters\/courier)\.ts$/,
  pino: /^telemetry\/log\.ts$/,
  "prom-client": /^telemetry\/[a-z-]*metrics\.ts$/,
  yaml: /^config\//,
  zod: /^(config\/|admin\/|connectors\/|inventory\/(report-schema|open-api)\.ts$|phone\/state\.ts$)/,
};

/** A thing that seems to belong into one of these belongs to a noun of the field. */
const bannedNames: ReadonlySet<string> = new Set(["utils", "util", "helpers", "services", "types", "index", "common"]);

interface Import {
  /** Below `src`, with slashes. */
  readonly from: string;
  /** A file below `src`, `package.json`, or the name of a package. */
  readonly to: string;
}

type Source = Readonly<Record<string, string>>;

/** Everything that is wrong with these files, one line each. */
function faultsOf(source: Source): string[] {
  const imports = Object.entries(source).flatMap(([from, text]) => importsOf(from, text));
  return [
    ...Object.keys(source).flatMap(faultsOfName),
    ...imports.flatMap((each) => (isFile(each.to) ? faultsOfArrow(each) : faultsOfPackage(each))),
    ...codec.flatMap((file) => faultsOfCodec(file, imports)),
  ];
}

function faultsOfName(file: string): string[] {
  const names = file.replace(/\.ts$/, "").split("/");
  const banned = names.filter((name) => bannedNames.has(name)).map((name) => `${file}: nothing is called ${name}`);
  if (!/^[a-z0-9/-]+\.ts$/.test(file)) banned.push(`${file}: names are kebab-case`);
  const folder = folderOf(file);
  if (folder === "" && !wiring.has(file)) banned.push(`${file}: belongs into a folder`);
  if (folder !== "" && mayImport[folder] === undefined) banned.push(`${file}: ${folder} has no row in the table`);
  return banned;
}

function faultsOfArrow({ from, to }: Import): string[] {
  const folder = folderOf(from);
  if (folder === "" || folder === folderOf(to)) return [];
  return arrowFor(folder, to) === undefined ? [`${from} imports ${to}`] : [];
}

/** The entry of the table by which a folder may import a file. */
function arrowFor(folder: string, to: string): string | undefined {
  return mayImport[folder]?.find((allowed) => allowed === to || to.startsWith(`${allowed}/`));
}

function faultsOfPackage({ from, to }: Import): string[] {
  if (folderOf(from) === "policy") return [`${from} imports ${to}: policy imports nothing`];
  const owners = packages[to];
  if (owners === undefined) return to.startsWith("node:") ? [] : [`${from} imports ${to}, which has no owner`];
  return owners.test(from) ? [] : [`${from} imports ${to}, which belongs to ${owners.source}`];
}

/** What a phone and a mail server share with the gate must not lead on into it. */
function faultsOfCodec(file: string, imports: readonly Import[]): string[] {
  return imports
    .filter(({ from, to }) => from === file && isFile(to) && !codec.includes(to))
    .map(({ to }) => `${file} imports ${to}: the codec stands alone`);
}

function folderOf(file: string): string {
  return file.includes("/") ? file.slice(0, file.indexOf("/")) : "";
}

function isFile(to: string): boolean {
  return to.endsWith(".ts") || to.endsWith(".json");
}

function importsOf(from: string, text: string): Import[] {
  return specifiersOf(text).map((specifier) => ({ from, to: resolve(from, specifier) }));
}

function resolve(from: string, specifier: string): string {
  if (specifier.startsWith(".")) return path.posix.join(path.posix.dirname(from), specifier);
  if (specifier.startsWith("node:")) return specifier;
  const [scope = "", name = ""] = specifier.split("/");
  return scope.startsWith("@") ? `${scope}/${name}` : scope;
}

interface Token {
  readonly kind: SyntaxKind;
  readonly text: string;
}

/**
 * What a file imports: `import`, `import type`, `export … from`, `import(…)`, in types too, `require(…)`, and `import.meta.resolve(…)`.
 * @throws where what is imported is worked out while the program runs: nobody could say then what it is.
 */
function specifiersOf(text: string): string[] {
  const tokens = tokensOf(text);
  const specifiers: string[] = [];
  for (const [index, { kind, text: word }] of tokens.entries()) {
    const after = (offset: number): Token | undefined => tokens[index + offset];
    const isMember = tokens[index - 1]?.kind === SyntaxKind.DotToken;
    if (kind === SyntaxKind.FromKeyword || (kind === SyntaxKind.ImportKeyword && isString(after(1)))) {
      const next = after(1);
      if (next !== undefined && isString(next)) specifiers.push(next.text);
    } else if (
      after(1)?.kind === SyntaxKind.OpenParenToken &&
      ((kind === SyntaxKind.ImportKeyword && !isMember) ||
        (word === "require" && !isMember) ||
        (word === "resolve" && isMember && tokens[index - 2]?.text === "meta"))
    ) {
      const next = after(2);
      if (next === undefined || !isString(next)) throw new Error(`an import of something worked out: ${text}`);
      specifiers.push(next.text);
    }
  }
  return specifiers;
}

function isString(token: Token | undefined): boolean {
  return token?.kind === SyntaxKind.StringLiteral || token?.kind === SyntaxKind.NoSubstitutionTemplateLiteral;
}

/** After these a slash divides; after everything else it begins a regular expression. */
const endsOperand: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.Identifier,
  SyntaxKind.NumericLiteral,
  SyntaxKind.BigIntLiteral,
  SyntaxKind.StringLiteral,
  SyntaxKind.NoSubstitutionTemplateLiteral,
  SyntaxKind.TemplateTail,
  SyntaxKind.RegularExpressionLiteral,
  SyntaxKind.CloseParenToken,
  SyntaxKind.CloseBracketToken,
  SyntaxKind.CloseBraceToken,
  SyntaxKind.ThisKeyword,
  SyntaxKind.TrueKeyword,
  SyntaxKind.FalseKeyword,
  SyntaxKind.NullKeyword,
]);

/** TypeScript's own scanner; what only a parser knows (templates, regular expressions) is told to it. */
function tokensOf(text: string): Token[] {
  const scanner = createScanner(true);
  scanner.setText(text);
  const tokens: Token[] = [];
  const braces: ("template" | "block")[] = [];
  for (let kind = scanner.scan(); kind !== SyntaxKind.EndOfFile; kind = scanner.scan()) {
    if (kind === SyntaxKind.SlashToken || kind === SyntaxKind.SlashEqualsToken) {
      const before = tokens.at(-1);
      if (before === undefined || !endsOperand.has(before.kind)) kind = scanner.reScanSlashToken();
    } else if (kind === SyntaxKind.OpenBraceToken) braces.push("block");
    else if (kind === SyntaxKind.TemplateHead) braces.push("template");
    else if (kind === SyntaxKind.CloseBraceToken && braces.pop() === "template") {
      kind = scanner.reScanTemplateToken(false);
      if (kind === SyntaxKind.TemplateMiddle) braces.push("template");
    }
    tokens.push({ kind, text: scanner.getTokenValue() });
  }
  return tokens;
}

function readSource(): Source {
  const folder = path.join(root, "src");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  return Object.fromEntries(
    files.map((file) => [file.replaceAll(path.sep, "/"), readFileSync(path.join(folder, file), "utf8")]),
  );
}

suite("the import table", () => {
  const source = readSource();

  test("holds for every file", () => {
    assert.deepEqual(faultsOf(source), []);
  });

  test("has no arrow that nobody uses", () => {
    const used = new Set<string>();
    for (const [from, text] of Object.entries(source)) {
      for (const { to } of importsOf(from, text)) used.add(`${folderOf(from)} → ${arrowFor(folderOf(from), to) ?? ""}`);
    }
    const allowed = Object.entries(mayImport).flatMap(([folder, arrows]) => arrows.map((to) => `${folder} → ${to}`));
    assert.deepEqual(
      allowed.filter((arrow) => !used.has(arrow)),
      [],
    );
  });

  test("has an owner for every package that is installed, and no owner of one that is not", () => {
    const manifest: unknown = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
    assert.ok(typeof manifest === "object" && manifest !== null && "dependencies" in manifest);
    const { dependencies } = manifest;
    assert.ok(typeof dependencies === "object" && dependencies !== null);
    const owned = Object.keys(packages).filter((name) => !name.startsWith("node:"));
    assert.deepEqual(Object.keys(dependencies).toSorted(), owned.toSorted());
  });

  test("is the one that ARCHITECTURE.md shows", () => {
    const shown = tableAfter(readFileSync(path.join(root, "ARCHITECTURE.md"), "utf8"), "Who may import whom");
    const rows = shown.map(([folder = "", , imports = ""]) => [
      folder,
      [...imports.matchAll(/`([^`]+)`/g)].map(([, to]) => to),
    ]);
    const held = Object.entries(mayImport).map(([folder, imports]) => [`\`${folder}\``, imports]);
    assert.deepEqual(rows, held);
  });

  test("is the one that ARCHITECTURE.md shows for packages", () => {
    const shown = tableAfter(readFileSync(path.join(root, "ARCHITECTURE.md"), "utf8"), "Who may use which package");
    const names = shown.map(([name = ""]) => name.replaceAll("`", ""));
    assert.deepEqual(names, Object.keys(packages));
  });
});

suite("the import table is broken by", () => {
  const cases: readonly (readonly [title: string, file: string, text: string, fault: RegExp])[] = [
    ["an import", "policy/judge.ts", 'import { x } from "../store/store.ts";', /policy\/judge\.ts imports store/],
    [
      "an import of a type",
      "phone/a.ts",
      'import type { X } from "../policy/device.ts";',
      /phone\/a\.ts imports policy/,
    ],
    [
      "a type in the middle of a list",
      "demo/a.ts",
      'import { y, type X } from "../gateway/gateway.ts";',
      /demo\/a\.ts/,
    ],
    ["a re-export", "store/a.ts", 'export * from "../gateway/errors.ts";', /store\/a\.ts imports gateway\/errors\.ts/],
    [
      "a named re-export",
      "store/a.ts",
      'export { a as b } from "../gateway/errors.ts";',
      /store\/a\.ts imports gateway/,
    ],
    ["an import for its effect", "admin/a.ts", 'import "../store/open.ts";', /admin\/a\.ts imports store\/open\.ts/],
    ["a dynamic import", "admin/a.ts", 'const a = await import("../store/open.ts");', /admin\/a\.ts imports store/],
    ["an import within a type", "admin/a.ts", 'let a: import("../store/open.ts").A;', /admin\/a\.ts imports store/],
    [
      "a dynamic import in a template",
      "admin/a.ts",
      "`${{a: await import(`../store/open.ts`)}}`;",
      /admin\/a\.ts imports store/,
    ],
    [
      "an import after a regular expression",
      "admin/a.ts",
      'const a = /["\'`/*]/; import "../store/open.ts";',
      /admin\/a\.ts/,
    ],
    ["an import after a division", "admin/a.ts", 'a = b / 2; c = "/"; import "../store/open.ts";', /admin\/a\.ts/],
    [
      "a file beside the allowed one",
      "activesync/a.ts",
      'import { x } from "../gateway/pass.ts";',
      /activesync\/a\.ts/,
    ],
    ["a file of almost the same name", "cli/a.ts", 'import { x } from "../apple.ts";', /cli\/a\.ts imports apple\.ts/],
    ["a way round through a parent", "browser/a.ts", 'import { x } from "../../src/store/store.ts";', /browser\/a\.ts/],
    [
      "a package of somebody else",
      "store/store.ts",
      'import { Redis } from "ioredis";',
      /store\/store\.ts imports ioredis/,
    ],
    [
      "a part of a package",
      "gateway/a.ts",
      'import M from "nodemailer/lib/mail-composer";',
      /gateway\/a\.ts imports nodemailer/,
    ],
    ["a package with a scope", "gateway/a.ts", 'import { x } from "@scope/thing/part";', /imports @scope\/thing/],
    ["the database of Node", "gateway/a.ts", 'import { DatabaseSync } from "node:sqlite";', /imports node:sqlite/],
    ["anything at all in policy", "policy/a.ts", 'import { createHash } from "node:crypto";', /policy imports nothing/],
    ["require", "policy/a.ts", 'const fs = require("fs");', /policy\/a\.ts imports fs/],
    ["a codec that leads on", "activesync/wbxml.ts", 'import { x } from "./query.ts";', /the codec stands alone/],
    ["a folder without a row", "things/a.ts", "", /things has no row/],
    ["a file beside the wiring", "more.ts", "", /more\.ts: belongs into a folder/],
    ["a drawer for everything", "gateway/helpers.ts", "", /nothing is called helpers/],
    ["a folder as a drawer", "gateway/utils/text.ts", "", /nothing is called utils/],
    ["an index", "store/index.ts", "", /nothing is called index/],
    ["a name in camel case", "store/openStore.ts", "", /kebab-case/],
  ];
  for (const [title, file, text, fault] of cases) {
    test(title, () => {
      assert.match(faultsOf({ [file]: text }).join("\n"), fault);
    });
  }

  test("an import of something that is worked out", () => {
    assert.throws(() => faultsOf({ "admin/a.ts": "await import(name);" }), /worked out/);
    assert.throws(() => faultsOf({ "admin/a.ts": "await import(`../${name}.ts`);" }), /worked out/);
  });
});

test("words that only look like imports break nothing", () => {
  const text = `
    // import { x } from "../store/open.ts";
    /* import "../store/open.ts" */
    const a = 'import "../store/open.ts"';
    const b = \`import "../store/open.ts" \${a} from "../store/open.ts"\`;
    const c = /import "..\\/store\\/open.ts"/;
    const d = { from: "../store/open.ts", import: "../store/open.ts" };
    const here = import.meta.url;
  `;
  assert.deepEqual(faultsOf({ "policy/a.ts": text }), []);
});
