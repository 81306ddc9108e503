/** What a request says about its sender: the key it presents, if any, and the host name it was sent to. */
export interface Credentials {
  readonly key: string | undefined;
  /** The Host header (HTTP) or authority (gRPC), with or without a port. */
  readonly host: string | undefined;
}

/** Reads one header by its lower-case name. */
export type HeaderReader = (name: string) => string | undefined;

/**
 * The key of a request: `Authorization: Bearer KEY`, `Authorization: Basic …` with the key as password, or `X-Service-Key: KEY`.
 * A key in the query string is never looked at, because addresses end up in logs.
 */
export function readCredentials(header: HeaderReader): Credentials {
  return { key: keyFromAuthorization(header("authorization")) ?? header("x-service-key"), host: header("host") };
}

function keyFromAuthorization(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const [, scheme = "", rest = ""] = /^(\S+) +(\S+)\s*$/.exec(value) ?? [];
  switch (scheme.toLowerCase()) {
    case "bearer":
      return rest;
    case "basic":
      return passwordOf(rest);
    default:
      return undefined;
  }
}

/** RFC 7617: base64 of `user:password`; the password may hold colons. */
function passwordOf(encoded: string): string | undefined {
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0 ? undefined : text.slice(colon + 1);
}

/** The name in a Host header: without port and in lower case; an IPv6 address keeps its brackets. */
export function hostName(host: string): string {
  return host.replace(/:\d*$/, "").toLowerCase();
}
