/** A bar on standard error for work that takes long, where somebody is looking. */

export interface Progress {
  report(share: number, text: string): void;
  /** Takes the bar away. */
  end(): void;
}

interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const BAR_CHARACTERS = 30;
/** Ten times a second is as often as anybody sees. */
const INTERVAL_MS = 100;

export function createProgress(screen: Screen, now: () => number = () => performance.now()): Progress {
  if (screen.isTTY !== true) return { report: () => {}, end: () => {} };
  let shownAt = -Infinity;
  return {
    report(share, text): void {
      if (now() - shownAt < INTERVAL_MS) return;
      shownAt = now();
      const filled = Math.round(Math.min(1, Math.max(0, share)) * BAR_CHARACTERS);
      const bar = "█".repeat(filled) + "░".repeat(BAR_CHARACTERS - filled);
      const line = `${bar} ${String(Math.floor(share * 100)).padStart(3)}%  ${text}`;
      screen.write(`\r${line.slice(0, (screen.columns ?? 80) - 1)}\u001b[K`);
    },
    end(): void {
      if (shownAt > -Infinity) screen.write("\r\u001b[K");
    },
  };
}
