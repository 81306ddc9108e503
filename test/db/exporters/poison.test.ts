import { afterEach, expect, it } from "vitest";
import { describeEachServer } from "../../support/database.ts";
import { generation, hexId, type Item, span } from "../../support/encoded-request.ts";
import { countsOf, createExporterRig } from "../../support/exporter-rig.ts";
import { useExporterRig } from "../../support/exporter-suite.ts";

const spans = (count: number): Item[][] => Array.from({ length: count }, (_, i) => span(`s${i}`));

describeEachServer("a row that the database refuses", (server) => {
  const rig = useExporterRig(server, { emptied: ["spans", "generation_logs", "ingest_rejected"] });
  afterEach(() => rig.sql`DROP TRIGGER IF EXISTS refuse ON spans`);
  const write = async (items: Item[][]): Promise<ReturnType<typeof countsOf>> => countsOf(await rig.write(items));
  const rejected = () => rig.sql`SELECT reason, sqlstate, convert_from(raw, 'UTF8') AS raw FROM ingest_rejected ORDER BY raw`;

  async function refuseSpans(condition: string, sqlstate: string): Promise<void> {
    await rig.sql.unsafe(`CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN IF ${condition} THEN RAISE EXCEPTION 'refused' USING ERRCODE = '${sqlstate}'; END IF; RETURN NEW; END $$`);
    await rig.sql.unsafe("CREATE TRIGGER refuse BEFORE INSERT ON spans FOR EACH ROW EXECUTE FUNCTION refuse()");
  }

  it.each(["22000", "23514", "P0001"])(
    "DBF-13 is set aside with its bytes and %s; the 499 others are stored within a second",
    async (state) => {
      const timeOf = async <T>(work: () => Promise<T>): Promise<readonly [T, number]> => {
        const began = performance.now();
        return [await work(), performance.now() - began];
      };
      // Of rows without fault on this machine at this moment.
      const [, soundMillis] = await timeOf(() => rig.write(Array.from({ length: 500 }, (_, i) => span(`sound ${i}`))));
      await rig.sql`DELETE FROM spans`;
      await refuseSpans(`NEW.span_id = '${hexId("span s321", 16)}'`, state);
      const [result, millis] = await timeOf(() => rig.write(spans(500)));
      expect(millis).toBeLessThan(1_000 + 20 * soundMillis);
      expect(countsOf(result)).toEqual({ stored: 499, duplicates: 0, conflicting: 0, refused: 1 });
      expect(result).toMatchObject({ refused: [{ item: 321, reason: `database refused the value (${state})` }] });
      expect(await rejected()).toEqual([
        { reason: `database refused the value (${state})`, sqlstate: state, raw: "raw bytes of item 321" },
      ]);
      expect(await rig.count("spans")).toBe(499);
    },
  );

  it("takes the rows of its item with it, and no others", async () => {
    const items = [generation("a"), generation("b", {}, { attributes: "{broken" }), generation("c")];
    expect(await write(items)).toMatchObject({ stored: 2, refused: 1 });
    expect([await rig.count("spans"), await rig.count("generation_logs")]).toEqual([2, 2]);
  });

  it("is found among rows that are there already, and a resend changes nothing", async () => {
    await write(spans(40));
    const items = [...spans(60), span("bad", { attributes: "{broken" }), span("worse", { kind: 1, name: "ok", attributes: "\u0001" })];
    expect(await write(items)).toEqual({ stored: 20, duplicates: 40, conflicting: 0, refused: 2 });
    expect(await write(items)).toEqual({ stored: 0, duplicates: 60, conflicting: 0, refused: 2 });
    expect(await rejected()).toHaveLength(2);
  });

  it("does not hold up the requests around it", async () => {
    const results = await Promise.all([
      rig.write([span("bad", { attributes: "{broken" })]),
      ...Array.from({ length: 20 }, (_, i) => rig.write([span(`good${i}`)])),
    ]);
    expect(results.map(countsOf).map(({ stored, refused }) => stored - refused)).toEqual([-1, ...Array.from({ length: 20 }, () => 1)]);
  });

  it("may be every row of a request, within the deadline", async () => {
    await refuseSpans("true", "23514");
    expect(await write(spans(300))).toEqual({ stored: 0, duplicates: 0, conflicting: 0, refused: 300 });
    expect(await rejected()).toHaveLength(300);
  });

  it("may offend a unique index of the operator's own", async () => {
    await rig.sql`CREATE UNIQUE INDEX own_rule ON spans (name, start_time)`;
    const items = [span("a", { name: "taken" }), span("b", { name: "taken" }), span("c")];
    expect(await write(items)).toMatchObject({ stored: 2, refused: 1 });
    expect(await rejected()).toMatchObject([{ sqlstate: "23505" }]);
    await rig.sql`DROP INDEX own_rule`;
  });

  it("is not the row's fault when no partition takes it: nothing is set aside, the sender keeps its data", async () => {
    const short = createExporterRig({ url: rig.url, writeDeadlineMillis: 600 });
    const [partition] = await rig.sql<[{ name: string }]>`
      SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid
      WHERE i.inhparent = 'spans'::regclass AND pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT'`;
    await rig.sql.unsafe(`ALTER TABLE spans DETACH PARTITION ${partition.name}`);
    const far = [span("far", { start_time: Date.UTC(1999, 0, 1) })];
    expect(await short.write(far)).toMatchObject({ kind: "failed", reason: "database" });
    expect(await rig.count("ingest_rejected")).toBe(0);
    await rig.sql.unsafe(`ALTER TABLE spans ATTACH PARTITION ${partition.name} DEFAULT`);
    expect(countsOf(await short.write(far))).toMatchObject({ stored: 1 });
    await short.stop();
  });

  it("is kept apart from an outage: a missing table sets nothing aside", async () => {
    const short = createExporterRig({ url: rig.url, writeDeadlineMillis: 600 });
    await rig.sql.unsafe("ALTER TABLE spans RENAME TO spans_elsewhere");
    expect(await short.write(spans(8))).toMatchObject({ kind: "failed", reason: "database" });
    await rig.sql.unsafe("ALTER TABLE spans_elsewhere RENAME TO spans");
    expect(await rig.count("ingest_rejected")).toBe(0);
    expect(countsOf(await short.write(spans(8)))).toMatchObject({ stored: 8 });
    await short.stop();
  });
});
