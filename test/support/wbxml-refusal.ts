import { decode, WbxmlError } from "../../src/activesync/wbxml.ts";
import type { DecodeLimits, WbxmlErrorCode } from "../../src/activesync/wbxml.ts";

export interface WbxmlRefusal {
  readonly code: WbxmlErrorCode;
  readonly offset: number | undefined;
}

/** Why these bytes are refused; undefined where they are a document. Anything thrown that is not a refusal is a bug. */
export function refusalOf(bytes: Uint8Array, limits?: Partial<DecodeLimits>): WbxmlRefusal | undefined {
  return refusalBy(() => decode(bytes, limits));
}

export function refusalBy(work: () => unknown): WbxmlRefusal | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (!(error instanceof WbxmlError)) throw error;
    return { code: error.code, offset: error.offset };
  }
}
