/**
 * The SQLSTATE, or the code of Node or the system: what of an error may stand in a log line, because codes are a closed set and the text of an
 * error may hold a user's names. `otherwise` where it has none.
 */
export function errorCode(error: unknown, otherwise = "unknown"): string {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : otherwise;
}
