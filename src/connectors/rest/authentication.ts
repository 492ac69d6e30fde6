/** How a connector shows who it is: what is sent along with each call, and what is done when it counts no more. */

export interface Authentication {
  /** Headers for the next call. @throws ConnectorFailure */
  headers(signal: AbortSignal): Promise<ReadonlyMap<string, string>>;
  /** The system refused what `headers` gave. True: it is worth one more try, with something new. */
  renew(sent: ReadonlyMap<string, string>): boolean;
}

/** RFC 7617. Jamf, NanoMDM and SimpleMDM take an API key as one of the two. */
export function basic(name: string, password: string): Authentication {
  return always(["authorization", basicCredential(name, password)]);
}

export function basicCredential(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
}

/** A token that somebody made for this program, and that does not change by itself. */
export function staticBearer(token: string): Authentication {
  return always(["authorization", `Bearer ${token}`]);
}

/** A key in a header of the system's own. */
export function header(name: string, value: string): Authentication {
  return always([name.toLowerCase(), value]);
}

/** Nothing is proven: an address that only this program reaches. */
export function nothing(): Authentication {
  return always();
}

/** One and the other: `aw-tenant-code` beside a token. */
export function together(...all: readonly Authentication[]): Authentication {
  return {
    async headers(signal) {
      const each = await Promise.all(all.map((one) => one.headers(signal)));
      return new Map(each.flatMap((headers) => Array.from(headers)));
    },
    // Each is told.
    renew: (sent) => all.map((one) => one.renew(sent)).includes(true),
  };
}

function always(...headers: readonly (readonly [string, string])[]): Authentication {
  const map = new Map(headers);
  return { headers: async () => map, renew: () => false };
}
