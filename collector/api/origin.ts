import type { HeaderReader } from "../base/credentials.ts";

/**
 * Whether a request that changes something may come from a page of another site. A browser says in Origin and Sec-Fetch-Site where a request
 * comes from; programs send neither. A key in a header of its own cannot be sent by a foreign page, the password that a browser remembers can.
 */
export function isForeignOrigin(header: HeaderReader): boolean {
  const authorization = header("authorization") ?? "";
  if (header("x-service-key") !== undefined || /^bearer /i.test(authorization)) return false;
  const site = header("sec-fetch-site");
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  const origin = header("origin");
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host.toLowerCase() !== (header("host") ?? "").toLowerCase();
}
