import { isUsable, type StoredKey } from "./api-key.ts";
import { SetupError } from "./setup-error.ts";

/** Names under which a program on the same machine speaks to us; also what a Host header may say while no key protects the collector. */
const LOOPBACK_NAMES: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Whether `name` (of a Host header, without port) can only mean this machine. */
export const isLoopbackName = (name: string): boolean => LOOPBACK_NAMES.has(name);

/** Whether a server bound to `host` is reachable from this machine alone. */
export const isLoopbackAddress = (host: string): boolean => host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);

/** `host:port` as it stands in a URL: an IPv6 address in brackets. */
export const hostAndPort = (host: string, port: number): string => `${host.includes(":") ? `[${host}]` : host}:${port}`;

/**
 * Refuses to serve other machines without a key.
 * @throws SetupError when `host` is not a loopback address and no key can be used.
 */
export function requireKeyForAddress(host: string, keys: readonly Pick<StoredKey, "expiresAt" | "revokedAt">[], now = Date.now()): void {
  if (isLoopbackAddress(host) || keys.some((key) => isUsable(key, now))) return;
  throw new SetupError(
    `Refusing to listen on ${host} without a key, because anyone who reaches it could read and write: create one with "genspan key create --scope ingest", or listen on 127.0.0.1.`,
  );
}

/** A path of a server whose address may have a path itself, as behind a reverse proxy: `https://host/telemetry` and `/api/usage` are `https://host/telemetry/api/usage`. */
export function addressBelow(base: string, path: string): URL {
  const below = new URL(base);
  below.search = "";
  below.hash = "";
  return new URL(path.replace(/^\/+/, ""), below.href.endsWith("/") ? below : `${below.href}/`);
}
