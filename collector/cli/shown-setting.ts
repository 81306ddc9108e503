import type { Setting } from "./settings.ts";

const HIDDEN = "…";
const COLLECTOR_SCHEMES: ReadonlySet<string> = new Set(["http:", "https:"]);
const DATABASE_SCHEMES: ReadonlySet<string> = new Set(["postgres:", "postgresql:"]);
const DATABASE_PATH = /^(?:\/[\w-]{0,63})?$/;

/**
 * A setting as it may stand on a screen: of addresses only what is known to be harmless (scheme, host, port, name of the database), `…` for anything else,
 * and of a key nothing. Never throws.
 */
export function shownSetting({ name, value }: Pick<Setting, "name" | "value">): string {
  if (name === "key") return HIDDEN;
  if (name === "url") return shownAddress(value, COLLECTOR_SCHEMES);
  return name === "database_url" ? shownAddress(value, DATABASE_SCHEMES) : value;
}

function shownAddress(value: string, schemes: ReadonlySet<string>): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  // An @ behind the host is a password that was not escaped: what was read as the host may be part of it.
  if (url === undefined || !schemes.has(url.protocol) || /@/.test(url.pathname + url.search + url.hash)) return HIDDEN;
  const isDatabase = schemes === DATABASE_SCHEMES;
  const user = url.username === "" && url.password === "" ? "" : `${HIDDEN}@`;
  const path = (isDatabase ? DATABASE_PATH : /^\/?$/).test(url.pathname) ? url.pathname : `/${HIDDEN}`;
  const rest = url.search === "" && url.hash === "" ? "" : `?${HIDDEN}`;
  return `${url.protocol}//${user}${url.host}${isDatabase || path !== "/" ? path : ""}${rest}`;
}
