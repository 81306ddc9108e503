/**
 * What an error of the database asks of the writer.
 * duplicate: a row is there already: take the careful path · data: a value the table does not take: find its item ·
 * retry: another transaction was in the way and the connection is sound: the same again · outage: the server or the way to it is
 * down: a new connection, later · setup: something a person must mend (a missing table, right or login); senders keep their data.
 */
export type ErrorKind = "duplicate" | "data" | "retry" | "outage" | "setup";

/** Codes that do not follow their class. Source: PostgreSQL, Appendix A "Error Codes". */
const BY_CODE: ReadonlyMap<string, ErrorKind> = new Map([
  ["23505", "duplicate"],
  ["21000", "duplicate"],
  ["25006", "outage"],
  ["40002", "data"],
  ["54001", "outage"],
  ["57014", "retry"],
]);

/** P0 is what a trigger in PL/pgSQL raises, 44 a view's check: both speak of a row. Whatever stands in neither list is an outage. */
const BY_CLASS: ReadonlyMap<string, ErrorKind> = new Map([
  ["0A", "setup"],
  ["22", "data"],
  ["23", "data"],
  ["25", "retry"],
  ["26", "retry"],
  ["28", "setup"],
  ["3D", "setup"],
  ["3F", "setup"],
  ["40", "retry"],
  ["42", "setup"],
  ["44", "data"],
  ["54", "data"],
  ["55", "retry"],
  ["P0", "data"],
]);

/** Reports a row that no partition takes, as a check violation: the missing DEFAULT partition is at fault, not the row. */
const PARTITION_ROUTING = "ExecFindPartition";

const SQLSTATE = /^[0-9A-Z]{5}$/;

const stringOf = (error: unknown, name: "code" | "routine"): string | undefined => {
  const value = typeof error === "object" && error !== null ? (error as Record<string, unknown>)[name] : undefined;
  return typeof value === "string" ? value : undefined;
};

/** The error's SQLSTATE, or undefined for one of the network or the driver (EPIPE has five letters too). */
export function sqlstateOf(error: unknown): string | undefined {
  const code = stringOf(error, "code");
  return code !== undefined && SQLSTATE.test(code) && !code.startsWith("E") ? code : undefined;
}

/** Anything without a SQLSTATE is trouble on the way to the server. */
export function classifyError(error: unknown): ErrorKind {
  const code = sqlstateOf(error);
  if (code === undefined) return "outage";
  if (stringOf(error, "routine") === PARTITION_ROUTING) return "setup";
  return BY_CODE.get(code) ?? BY_CLASS.get(code.slice(0, 2)) ?? "outage";
}
