import type { DoctorCheck } from "../cli/actions.ts";
import { CommandError, EXIT } from "../cli/exit-codes.ts";
import type { ServerFacts } from "../query/server-facts.ts";

const MIN_VERSION_NUMBER = 150_000;
/** Above this, "the last hour" means something else to the database than to the applications. */
const MAX_SKEW_MS = 5_000;

/** A failed check out of what a part threw: its message is a sentence that says what to do. */
export const failure = (name: string, error: unknown): DoctorCheck => ({
  name,
  ok: false,
  detail: error instanceof Error ? error.message : "it cannot be used",
  exitCode: error instanceof CommandError ? error.exitCode : EXIT.failure,
});

/** What `facts`, read just now, say of version, schema, rights and clock. */
export function* checkServer(
  facts: ServerFacts,
  expected: { readonly schemaVersion: number; readonly nowMillis: number },
): Generator<DoctorCheck> {
  yield checkVersion(facts);
  yield checkSchema(facts, expected.schemaVersion);
  yield checkRights(facts);
  yield checkClock(facts.nowMillis - expected.nowMillis);
}

function checkVersion({ version, versionNumber }: ServerFacts): DoctorCheck {
  const name = "database";
  if (versionNumber >= MIN_VERSION_NUMBER) return { name, ok: true, detail: `PostgreSQL ${version} answers` };
  return { name, ok: false, detail: `it is PostgreSQL ${version} and genspan needs 15 or newer: point DATABASE_URL at a newer server` };
}

function checkSchema({ schemaVersion }: ServerFacts, expected: number): DoctorCheck {
  const name = "schema";
  if (schemaVersion === expected) return { name, ok: true, detail: `version ${expected}, the one of this genspan` };
  if (schemaVersion > expected) {
    const detail = `the database is at version ${schemaVersion} and this genspan knows ${expected}: use the newer genspan that made it`;
    return { name, ok: false, detail };
  }
  const detail = `the database is at version ${schemaVersion} and this genspan wants ${expected}: run "genspan migrate", or start the collector`;
  return { name, ok: false, detail };
}

function checkRights({ role, mayCreateTables, readOnly, foreignTable }: ServerFacts): DoctorCheck {
  const name = "rights";
  if (readOnly) {
    const detail = `"${role}" may only read: point DATABASE_URL at the primary, or set default_transaction_read_only to off with ALTER DATABASE or ALTER ROLE`;
    return { name, ok: false, detail };
  }
  if (foreignTable !== undefined) {
    return {
      name,
      ok: false,
      detail: `the table ${foreignTable} does not belong to "${role}": connect as its owner`,
      exitCode: EXIT.notAuthorised,
    };
  }
  if (!mayCreateTables) {
    const detail = `"${role}" may not create tables, which every new day needs: let the schema's owner GRANT CREATE ON SCHEMA to it`;
    return { name, ok: false, detail, exitCode: EXIT.notAuthorised };
  }
  return { name, ok: true, detail: `"${role}" owns the tables and may make partitions` };
}

function checkClock(skewMillis: number): DoctorCheck {
  const name = "clock";
  const seconds = (Math.abs(skewMillis) / 1000).toFixed(1);
  if (Math.abs(skewMillis) <= MAX_SKEW_MS)
    return { name, ok: true, detail: `the database's clock and this machine's differ by ${seconds} s` };
  const detail = `the database's clock is ${seconds} s ${skewMillis > 0 ? "ahead of" : "behind"} this machine's: let both follow NTP`;
  return { name, ok: false, detail };
}
