/** One picture for each way to stand, drawn, so that nothing has to be fetched. They say nothing that the words do not. */
import type { Standing } from "./standing.ts";

/** It begins where the text begins: `left` is what would be empty beside it. */
const drawn = (content: string, left: number): string =>
  `<svg viewBox="${left} 4 ${60 - left} 56" fill="none" stroke="currentColor" stroke-width="4" stroke-linecap="round" stroke-linejoin="round" ` +
  `aria-hidden="true" focusable="false">${content}</svg>`;

const drawings = {
  waves: drawn(
    '<rect x="18" y="6" width="28" height="52" rx="6"/><path d="M29 49h6"/><path d="M26 27a8.5 8.5 0 0 1 12 0"/><path d="M32 34v.1"/>',
    16,
  ),
  clock: drawn('<circle cx="32" cy="32" r="26"/><path d="M32 17v15l10 7"/>', 4),
  tick: drawn('<circle cx="32" cy="32" r="26"/><path d="m20 33 8 8 16-17"/>', 4),
} as const;

export function drawingOf({ stage }: Pick<Standing, "stage">): string {
  switch (stage) {
    case "to-do":
      // What is to be done is the picture.
      return "";
    case "checking":
    case "answered":
      return drawings.waves;
    case "ended":
      return drawings.clock;
    case "clear":
    case "back":
    case "well":
      return drawings.tick;
  }
}
