/** What the demonstration says, and the configuration that it runs with. */
import path from "node:path";
import type { Paper } from "../phone/print.ts";

export function demoConfig(upstreamUrl: string, port: number): string {
  return `# Written by "postern demo" at each start. Copy it to stand in front of a server of your own.
mail:     { listen: "127.0.0.1:${port}" }
admin:    { listen: "127.0.0.1:0" }
# Your mail server instead of the demonstration's, and where its webmail is:
upstream: { url: "${upstreamUrl}" }
routes:
  - { path: /Microsoft-Server-ActiveSync, protocol: activesync }
  - { path: /mail, protocol: browser }
# Or redis: redis://127.0.0.1:6379/0, where several gates share it or scripts write to it:
store:    { embedded: demo.db }
secret:   { file: installation }
notice:   { organisation: Demo Example Ltd, from: { name: IT Security, address: it-security@demo.example } }
campaigns:
  - id: tiktok
    title: TikTok is not permitted on phones that read company mail
    require:
      - absent:
          name: TikTok
          ios: [com.zhiliaoapp.musically, com.ss.iphone.ugc.Ame]
          android: [com.zhiliaoapp.musically, com.ss.android.ugc.trill]
`;
}

/** From a checkout it is a script; from the installed package it is the command itself. */
function command(): string {
  return process.env["npm_lifecycle_event"] === undefined ? "postern" : "npm run postern --";
}

export function removeCommand(config: string): string {
  return `${command()} device set BOBPHONE apps=com.android.chrome -c ${path.relative(process.cwd(), config)}`;
}

const bold = (text: string, { color }: Paper): string => (color ? `\u001b[1m${text}\u001b[0m` : text);
const dim = (text: string, { color }: Paper): string => (color ? `\u001b[2m${text}\u001b[0m` : text);

export const demoText = {
  introduction({ gate, upstream }: { readonly gate: string; readonly upstream: string }, paper: Paper): string {
    return `
${bold("Postern", paper)} stands at ${gate} in front of a small mail server at ${upstream}.
TikTok is not permitted on phones that read mail here.
`;
  },
  heading(text: string, paper: Paper): string {
    return `\n${bold(text, paper)}\n`;
  },
  changed(messages: number, paper: Paper): string {
    return `\n${bold(messages === 1 ? "Bob's phone is held again:" : "Bob's mail is back:", paper)}\n`;
  },
  next(remove: string, gate: string, config: string, paper: Paper): string {
    return `
${bold("What to try next", paper)}

  Remove TikTok from Bob's phone, in a second terminal. Watch it here:
    ${bold(remove, paper)}

  Install it again:
    ${remove.replace("apps=com.android.chrome", "apps=com.zhiliaoapp.musically")}

  Read on as a laptop, as bob with the password bob-demo:
    ${gate}/mail/

  Stand in front of a server of your own: copy ${path.relative(process.cwd(), config)}, change
  upstream.url and the path of the webmail, and
    ${command()} serve --config FILE

${dim("Ctrl-C ends the demonstration.", paper)}
`;
  },
} as const;
