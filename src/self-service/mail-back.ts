/**
 * The last step of a check: the phone has come for its mail. Each gate notes it at the first request that passes. Which phones that is
 * awaited of is kept in the process, so that nobody else's request costs anything.
 */
import type { Rechecks } from "../inventory/recheck.ts";
import type { DeviceId } from "../policy/device.ts";

export interface MailBackOptions {
  readonly rechecks: Pick<Rechecks, "read" | "advance" | "open" | "onChange">;
  readonly onFailure: (cause: unknown) => void;
  readonly now: () => Date;
}

export interface MailBack {
  /** A request for mail of this phone has passed. Never throws. */
  passed(device: DeviceId): void;
  close(): void;
}

/** 20 000 phones, each of which was checked within minutes. Of more, those that were cleared first are not waited for. */
const AWAITED_LIMIT = 20_000;

export function createMailBack({ rechecks, onFailure, now }: MailBackOptions): MailBack {
  /** To the number of its check. */
  const awaited = new Map<DeviceId, number>();
  const unsubscribe = rechecks.onChange((device) => {
    void (device === undefined ? learnAll() : learn(device)).catch(onFailure);
  });

  async function learn(device: DeviceId): Promise<void> {
    const recheck = await rechecks.read(device);
    awaited.delete(device);
    if (recheck === undefined || recheck.end !== undefined) return;
    if (recheck.steps.clear === undefined || recheck.steps["mail-back"] !== undefined) return;
    awaited.set(device, recheck.number);
    if (awaited.size <= AWAITED_LIMIT) return;
    const [first] = awaited.keys();
    if (first !== undefined) awaited.delete(first);
  }

  async function learnAll(): Promise<void> {
    for await (const { device } of rechecks.open(now())) await learn(device);
  }

  void learnAll().catch(onFailure);

  return {
    passed(device): void {
      const number = awaited.get(device);
      if (number === undefined) return;
      awaited.delete(device);
      void rechecks.advance(device, number, { step: "mail-back", at: now() }).catch(onFailure);
    },
    close: unsubscribe,
  };
}
