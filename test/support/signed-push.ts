/** A push as a site's script signs it, written from the documentation and not with the gate's code. */
import { createHmac } from "node:crypto";

export function signedHeaders(
  secret: string,
  body: string,
  { id, at = new Date() }: { readonly id: string; readonly at?: Date },
): Record<string, string> {
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const signature = createHmac("sha256", secret).update(`${timestamp}.${id}.${body}`).digest("hex");
  return { "postern-timestamp": timestamp, "postern-id": id, "postern-signature": `v1=${signature}` };
}
