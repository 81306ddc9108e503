import { createHash } from "node:crypto";
import fc from "fast-check";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";
import { createPipelineRig, type PipelineRig } from "../support/pipeline-rig.ts";
import { SEED } from "../support/seed.ts";
import { type Atom, lately, MATTERS, requestOf, soon } from "../support/told-apart.ts";

const LONG = process.env["GENSPAN_TEST_LONG"] === "1";
const RUNS = LONG ? 200 : 10;
const RUNS_ALONE = LONG ? 200 : 3;
const TIMEOUT_MS = LONG ? 3_600_000 : 300_000;

/** When something came in, and how often something was looked at. */
const OF_ARRIVAL: ReadonlySet<string> = new Set(["received_at", "updated_at"]);
const SHARED = ["resources", "scopes"];
const TABLES = [
  "spans generation_logs generation_twins generation_attempts generation_scores log_records image_traces generation_items",
  "generation_runs outputs blobs ingest_rejected",
]
  .join(" ")
  .split(" ");

type Contents = Readonly<Record<string, readonly string[]>>;

async function contents(sql: Sql): Promise<Contents> {
  const found: Record<string, string[]> = {};
  for (const table of [...TABLES, ...SHARED]) {
    const rows = await sql`SELECT to_jsonb(t) AS row FROM ${sql(table)} t`;
    const told = rows.map(({ row }) => Object.entries(row as object).filter(([name]) => !OF_ARRIVAL.has(name)));
    found[table] = told.map((columns) => JSON.stringify(Object.fromEntries(columns))).sort();
  }
  return found;
}

/** How the same atoms may come: in any order, cut into requests anywhere, some requests again, through either collector. */
interface Delivery {
  readonly order: readonly number[];
  readonly cuts: readonly boolean[];
  readonly collectors: readonly number[];
  readonly again: readonly number[];
  /** After this many requests one of the collectors is replaced by a new one. */
  readonly restartAfter: number;
}

const delivery = (atoms: number): fc.Arbitrary<Delivery> =>
  fc.record({
    order: fc.shuffledSubarray([...Array(atoms).keys()], { minLength: atoms, maxLength: atoms }),
    cuts: fc.array(fc.boolean(), { minLength: atoms, maxLength: atoms }),
    collectors: fc.array(fc.nat({ max: 1 }), { minLength: atoms * 2, maxLength: atoms * 2 }),
    again: fc.array(fc.nat({ max: atoms - 1 }), { maxLength: 6 }),
    restartAfter: fc.nat({ max: atoms }),
  });

function requestsOf(atoms: readonly Atom[], { order, cuts, again }: Delivery): Atom[][] {
  const requests: Atom[][] = [];
  for (const [i, index] of order.entries()) {
    const atom = atoms[index]!;
    const open = requests.at(-1);
    if (open === undefined || cuts[i] === true || open[0]!.signal !== atom.signal) requests.push([atom]);
    else open.push(atom);
  }
  return [...requests, ...again.map((number) => requests[number % requests.length]!)];
}

describeEachServer("the same spans and log records", (server) => {
  let database: TestDatabase;
  let sql: Sql;
  beforeAll(async () => {
    database = await createTestDatabase(server);
    sql = postgres(database.url, { max: 1, onnotice: () => {} });
  });
  afterAll(async () => {
    await sql.end();
    await database[Symbol.asyncDispose]();
  });
  const empty = (): Promise<unknown> => sql`TRUNCATE ${sql.unsafe([...TABLES, ...SHARED].join(", "))}`;

  /** A collector that has looked through what was there when it started. */
  async function start(): Promise<PipelineRig> {
    const rig = createPipelineRig(database.url);
    await rig.refiner.sweep();
    return rig;
  }

  async function settle(rigs: readonly PipelineRig[]): Promise<void> {
    for (const rig of rigs) await rig.refiner.settled();
    for (const rig of rigs) await rig.refiner.sweep();
    for (const rig of rigs) await rig.refiner.settled();
  }

  /** As if no other collector had been there for long. */
  const forgetOthers = (): Promise<unknown> => sql`DELETE FROM job_leases`;

  async function deliver(atoms: readonly Atom[], how: Delivery, collectors: number): Promise<Contents> {
    await empty();
    const rigs: PipelineRig[] = [];
    while (rigs.length < collectors) rigs.push(await start());
    for (const [i, request] of requestsOf(atoms, how).entries()) {
      if (i === how.restartAfter) {
        await rigs[0]!.stop();
        rigs[0] = await start();
      }
      const { body, signal } = requestOf(request);
      const outcome = await rigs[(how.collectors[i] ?? 0) % collectors]!.send(body, signal);
      if (outcome.kind !== "accepted") throw new Error(`${signal} were not accepted: ${JSON.stringify(outcome)}`);
    }
    if (collectors === 1) await forgetOthers();
    await settle(rigs);
    const rows = await contents(sql);
    for (const rig of rigs) await rig.stop();
    return rows;
  }

  const asTheyHappened = (atoms: readonly Atom[]): Delivery => ({
    order: [...atoms.keys()],
    cuts: atoms.map(() => false),
    collectors: [],
    again: [],
    restartAfter: -1,
  });

  async function expectSameRows(atoms: readonly Atom[], { numRuns, collectors }: { numRuns: number; collectors: number }): Promise<void> {
    const expected = await deliver(atoms, asTheyHappened(atoms), 2);
    expect(expected["spans"]!.length + expected["log_records"]!.length).toBeGreaterThan(0);
    await fc.assert(
      fc.asyncProperty(delivery(atoms.length), async (how) => {
        expect(await deliver(atoms, how, collectors)).toEqual(expected);
      }),
      { numRuns, seed: SEED },
    );
  }

  const traceOf = (name: string): string => createHash("sha256").update(name).digest("hex").slice(0, 32);

  it.each(Object.entries(MATTERS))(
    `leave the same rows in whatever order, requests and collector they come: %s (FUZZ_SEED=${SEED})`,
    {
      timeout: TIMEOUT_MS,
    },
    async (name, make) => {
      await expectSameRows(make(traceOf(name), lately()), { numRuns: RUNS, collectors: 2 });
    },
  );

  it.each(Object.entries(MATTERS))(
    `leave the same rows through a collector that is alone, also when it is replaced in between: %s (FUZZ_SEED=${SEED})`,
    {
      timeout: TIMEOUT_MS,
    },
    async (name, make) => {
      await expectSameRows(make(traceOf(name), soon()), { numRuns: RUNS_ALONE, collectors: 1 });
    },
  );

  it(`leave the same rows with all of it at once (FUZZ_SEED=${SEED})`, { timeout: TIMEOUT_MS }, async () => {
    const at = lately();
    const atoms = Object.entries(MATTERS).flatMap(([name, make], i) => make(traceOf(name), at + i * 3_000));
    await expectSameRows(atoms, { numRuns: Math.ceil(RUNS / 2), collectors: 2 });
  });
});
