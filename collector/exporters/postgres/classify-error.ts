/**
 * What an error of the database asks of the writer.
 * duplicate: a row is there already: take the careful path · data: a value the table does not take: careful path, then bisect ·
 * retry: this attempt failed and the connection is sound · outage: the server or the way to it is down: a new connection, later ·
 * setup: something a person must mend (a missing table, right or login); senders keep their data and try again.
 */
export type ErrorKind = "duplicate" | "data" | "retry" | "outage" | "setup";

/** Codes that do not follow their class. Source: PostgreSQL, Appendix A "Error Codes". */
const BY_CODE: ReadonlyMap<string, ErrorKind> = new Map([
  ["23505", "duplicate"],
  ["21000", "duplicate"],
  ["25006", "outage"],
  ["53100", "outage"],
  ["53300", "outage"],
  ["55006", "retry"],
  ["55P03", "retry"],
  ["57014", "retry"],
  ["26000", "retry"],
]);

const BY_CLASS: ReadonlyMap<string, ErrorKind> = new Map([
  ["08", "outage"],
  ["22", "data"],
  ["23", "data"],
  ["25", "retry"],
  ["28", "setup"],
  ["3D", "setup"],
  ["3F", "setup"],
  ["40", "retry"],
  ["42", "setup"],
  ["53", "outage"],
  ["54", "data"],
  ["55", "retry"],
  ["57", "outage"],
  ["58", "outage"],
  ["XX", "outage"],
]);

const SQLSTATE = /^[0-9A-Z]{5}$/;

/** The error's SQLSTATE, or undefined for one of the network or the driver. */
export function sqlstateOf(error: unknown): string | undefined {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" && SQLSTATE.test(code) && !code.startsWith("E") ? code : undefined;
}

/** Anything without a SQLSTATE is trouble on the way to the server. */
export function classifyError(error: unknown): ErrorKind {
  const code = sqlstateOf(error);
  if (code === undefined) return "outage";
  return BY_CODE.get(code) ?? BY_CLASS.get(code.slice(0, 2)) ?? "outage";
}
