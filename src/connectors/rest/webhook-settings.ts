/** The credential of webhooks as the configuration has it; see `webhookKeys` in `config/connector-parts.ts`. */
import type { WebhookCredential } from "./webhook-credential.ts";

/** A secret of the configuration. */
interface Kept {
  reveal(): string;
}

export function webhookCredentialOf({
  header,
  value,
  username,
  password,
}: {
  readonly header?: string | undefined;
  readonly value?: Kept | undefined;
  readonly username?: string | undefined;
  readonly password?: Kept | undefined;
}): WebhookCredential {
  if (header !== undefined) return { kind: "header", name: header, value: value?.reveal() ?? "" };
  return { kind: "basic", username: username ?? "", password: password?.reveal() ?? "" };
}
