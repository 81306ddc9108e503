import type { DoctorCheck } from "../cli/actions.ts";
import type { ServerFacts } from "../query/server-facts.ts";
import { type ConfiguredAddress, checkAddress, checkReadiness } from "./addresses.ts";
import { checkServer, failure } from "./database.ts";
import { checkDisk } from "./disk.ts";
import { roundTrip } from "./round-trip.ts";

export { type ConfiguredAddress, urlOf } from "./addresses.ts";

export interface DoctorInput {
  readonly addresses: readonly ConfiguredAddress[];
  /** Base URL of OTLP/HTTP to send to; undefined where the configuration serves none. */
  readonly endpoint: string | undefined;
  /** Where it takes traces, if not at /v1/traces. */
  readonly tracesPath: string | undefined;
  readonly key: string | undefined;
  readonly schema: string;
  /** The schema version that this program wants. */
  readonly schemaVersion: number;
  /** Asks the database of itself; rejects with a sentence where there is none. */
  readonly facts: () => Promise<ServerFacts>;
  /** Finds the reading login's URL; rejects with a sentence where it cannot be used. */
  readonly readUrl: () => Promise<string>;
  /** Folder of the embedded database; undefined with a server of one's own. */
  readonly dataFolder: string | undefined;
}

/** Looks at a collector from outside, from its addresses to a span that goes in by OTLP and comes out by SQL. */
export async function* examine(input: DoctorInput): AsyncGenerator<DoctorCheck> {
  for (const address of input.addresses) {
    const check = await checkAddress(address);
    yield check;
    if (check.ok && address.kind === "web" && address.port !== 0) yield await checkReadiness(address);
  }
  if (input.dataFolder !== undefined) yield checkDisk(input.dataFolder);
  const readUrl = yield* examineDatabase(input);
  yield* roundTrip({ ...input, readUrl });
}

/** Returns the reading login's URL where the database is fit. */
async function* examineDatabase(input: DoctorInput): AsyncGenerator<DoctorCheck, string | undefined> {
  let facts: ServerFacts;
  try {
    facts = await input.facts();
  } catch (error) {
    yield failure("database", error);
    return undefined;
  }
  const checks = [...checkServer(facts, { schemaVersion: input.schemaVersion, nowMillis: Date.now() })];
  yield* checks;
  // A schema of another version has other tables: reading them would only say the same again.
  if (checks.some((check) => !check.ok && check.name !== "clock")) return undefined;
  try {
    const readUrl = await input.readUrl();
    yield { name: "reading", ok: true, detail: "the reading login gets in and sees one project only" };
    return readUrl;
  } catch (error) {
    yield failure("reading", error);
    return undefined;
  }
}
