/** Certificate and key of a listener. */
import * as z from "zod";
import { filePath } from "./schema-parts.ts";

export function tlsKeys(description: string) {
  return z
    .strictObject({
      cert: filePath({ description: "PEM file with the certificate and its chain.", examples: ["tls/mail.crt"] }),
      key: filePath({
        description: "PEM file with the private key, without a passphrase.",
        examples: ["tls/mail.key"],
      }),
    })
    .meta({ description });
}
