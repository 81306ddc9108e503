import { describe, expect, it } from "vitest";
import type { WriteResult } from "../../../collector/rows/encoded-request.ts";
import { GENERATION_LOGS } from "../../../collector/rows/table-spec.ts";
import { describeEachServer } from "../../support/database.ts";
import { generation, generationRow, type Item, log, RESOURCE_ID, resource, span, untimed } from "../../support/encoded-request.ts";
import { countsOf, createExporterRig, failuresByCause } from "../../support/exporter-rig.ts";
import { useExporterRig } from "../../support/exporter-suite.ts";

const ROUNDS = process.env["GENSPAN_TEST_LONG"] === "1" ? 200 : 8;
const NOON = Date.UTC(2026, 5, 1, 12);
const DAY = 86_400_000;

const spans = (count: number, name = "s"): Item[][] => Array.from({ length: count }, (_, i) => span(`${name}${i}`));

describeEachServer("writing the same thing again", (server) => {
  const rig = useExporterRig(server, { emptied: ["spans", "generation_logs", "log_records", "resources", "scopes", "ingest_rejected"] });
  const write = async (items: Item[][]): Promise<ReturnType<typeof countsOf>> => countsOf(await rig.write(items));

  it("DUP-01 keeps one row per span and counts the second delivery as duplicate", async () => {
    const items = Array.from({ length: 50 }, (_, i) => generation(`g${i}`));
    expect(await write(items)).toEqual({ stored: 50, duplicates: 0, conflicting: 0, refused: 0 });
    expect(await write(items)).toEqual({ stored: 0, duplicates: 50, conflicting: 0, refused: 0 });
    expect([await rig.count("spans"), await rig.count("generation_logs")]).toEqual([50, 50]);
  });

  it("DUP-01 stores what is new in a request of which a part is there already", async () => {
    await write([...spans(10), log("l0")]);
    expect(await write([...spans(15), log("l0"), log("l1")])).toEqual({ stored: 6, duplicates: 11, conflicting: 0, refused: 0 });
    expect([await rig.count("spans"), await rig.count("log_records")]).toEqual([15, 2]);
  });

  it("DUP-02 keeps one row of a span that stands twice in one request", async () => {
    expect(await write([...spans(5), ...spans(5)])).toEqual({ stored: 5, duplicates: 5, conflicting: 0, refused: 0 });
    await write(spans(1));
    expect(await write([...spans(7), ...spans(7)])).toEqual({ stored: 2, duplicates: 12, conflicting: 0, refused: 0 });
    expect(await rig.count("spans")).toBe(7);
  });

  it(`DUP-03 lets four writers with the same 2,000 spans in opposite order all succeed, ${ROUNDS} times`, {
    timeout: 300_000,
  }, async () => {
    const other = createExporterRig({ url: rig.url });
    let stored = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const forward = Array.from({ length: 2_000 }, (_, i) => span(`${round}/${i}`, { start_time: NOON + (i % 4) * DAY }));
      const backward = forward.toReversed();
      const results = await Promise.all([rig.write(forward), other.write(backward), rig.write(backward), other.write(forward)]);
      for (const result of results) stored += countsOf(result).stored;
    }
    expect(stored).toBe(2_000 * ROUNDS);
    expect(await rig.count("spans")).toBe(2_000 * ROUNDS);
    expect({ ...(await failuresByCause(rig.metrics)), ...(await failuresByCause(other.metrics)) }).toEqual({});
    await other.stop();
  });

  it("DUP-06 keeps the same trace of two projects apart", async () => {
    const ofProject = (project: number, name: string): Item[] =>
      generation("shared", { project_id: project }, { project_id: project, name });
    await rig.sql`INSERT INTO projects (id, name, created_at) VALUES (2, 'second', now()) ON CONFLICT DO NOTHING`;
    expect(await write([ofProject(1, "one")])).toMatchObject({ stored: 1 });
    expect(await write([ofProject(2, "two")])).toMatchObject({ stored: 1, conflicting: 0 });
    expect(await write([ofProject(1, "one"), ofProject(2, "two")])).toMatchObject({ stored: 0, duplicates: 2, conflicting: 0 });
    expect(await rig.sql`SELECT project_id, name FROM spans ORDER BY 1`).toEqual([
      { project_id: 1, name: "one" },
      { project_id: 2, name: "two" },
    ]);
  });

  it("counts another content under the same key and keeps the first", async () => {
    await write([span("a", { name: "first" }), span("b")]);
    expect(await write([span("a", { name: "second" }), span("b", { received_at: NOON + DAY })])).toMatchObject({
      duplicates: 2,
      conflicting: 1,
    });
    expect(await rig.sql`SELECT name FROM spans WHERE name IN ('first', 'second')`).toEqual([{ name: "first" }]);
  });

  describe("a pending generation", () => {
    const row = (status: string, prompt: string): Item[] => [
      { table: GENERATION_LOGS, row: generationRow("g", { generation_status: status, prompt_full_text: prompt }) },
    ];
    const stored = () => rig.sql`SELECT generation_status AS status, prompt_full_text AS prompt FROM generation_logs`;

    it("is completed by its final row", async () => {
      await write([row("pending", "asked")]);
      expect(await write([row("success", "answered")])).toEqual({ stored: 1, duplicates: 0, conflicting: 0, refused: 0 });
      expect(await stored()).toEqual([{ status: "success", prompt: "answered" }]);
    });

    it("never replaces a final row that came first", async () => {
      await write([row("success", "answered")]);
      expect(await write([row("pending", "asked")])).toEqual({ stored: 0, duplicates: 1, conflicting: 0, refused: 0 });
      expect(await stored()).toEqual([{ status: "success", prompt: "answered" }]);
    });

    it("gives way to its final row in the same batch, in either order", async () => {
      await write([row("pending", "asked"), row("failed", "answered")]);
      expect(await stored()).toEqual([{ status: "failed", prompt: "answered" }]);
      await rig.sql`TRUNCATE generation_logs`;
      await write([row("failed", "answered"), row("pending", "asked")]);
      expect(await stored()).toEqual([{ status: "failed", prompt: "answered" }]);
    });
  });

  describe("a span without a time of its own", () => {
    it("is found again at whatever time it was stored", async () => {
      expect(await write([untimed("u", NOON), span("t")])).toMatchObject({ stored: 2 });
      expect(await write([untimed("u", NOON + DAY), span("t")])).toMatchObject({ stored: 0, duplicates: 2, conflicting: 0 });
      expect(await write([untimed("u", NOON + DAY, { name: "other" })])).toMatchObject({ duplicates: 1, conflicting: 1 });
      expect(await rig.count("spans")).toBe(2);
    });

    it("is stored once when it comes through many collectors at the same time", async () => {
      const rigs = [rig, createExporterRig({ url: rig.url }), createExporterRig({ url: rig.url })];
      for (let round = 0; round < 5; round++) {
        const items = (rigNumber: number) => Array.from({ length: 40 }, (_, i) => untimed(`${round}/${i}`, NOON + rigNumber * DAY));
        const results = await Promise.all(rigs.flatMap((each, i) => [each.write(items(i)), each.write(items(i + 3).toReversed())]));
        expect(results.map(countsOf).reduce((sum, counts) => sum + counts.stored, 0)).toBe(40);
      }
      expect(await rig.count("spans")).toBe(200);
      for (const each of rigs.slice(1)) await each.stop();
    });
  });

  it("stores a request that is larger than a batch in several, answered once", async () => {
    const small = createExporterRig({ url: rig.url, maxBatchBytes: 64 * 1024 });
    const items = Array.from({ length: 300 }, (_, i) => generation(`g${i}`, { prompt_full_text: "p".repeat(2_000) }));
    expect(countsOf(await small.write(items))).toMatchObject({ stored: 300 });
    expect(countsOf(await small.write(items))).toMatchObject({ duplicates: 300 });
    const { values } = await small.metrics.batches.get();
    expect(values.find(({ labels }) => labels.path === "fast")?.value).toBeGreaterThan(5);
    await small.stop();
  });

  it("stores one row that is larger than any batch", async () => {
    const large = "x".repeat(9_000_000);
    expect(await write([span("a"), ...[generation("g", { prompt_full_text: large })], span("b")])).toMatchObject({ stored: 3 });
    expect(await rig.sql`SELECT length(prompt_full_text) AS n FROM generation_logs`).toEqual([{ n: large.length }]);
  });

  it("answers an empty request", async () => {
    expect(await write([])).toEqual({ stored: 0, duplicates: 0, conflicting: 0, refused: 0 });
  });

  it("does not leave pglz-compressed text behind on the careful path", async () => {
    const text = "to be compressed ".repeat(1_000);
    await write([span("a")]);
    await write([span("a"), generation("g", { prompt_full_text: text })]);
    const [row] = await rig.sql<[{ method: string | null; same: boolean }]>`
      SELECT pg_column_compression(prompt_full_text) AS method, prompt_full_text = ${text} AS same FROM generation_logs`;
    expect(row.same).toBe(true);
    expect(row.method).not.toBe("pglz");
  });

  describe("resources and scopes", () => {
    const resources = () => rig.sql`SELECT id::text AS id, attributes FROM resources ORDER BY id`;

    it("are stored before the spans that point to them, once", async () => {
      const shared = [
        resource(RESOURCE_ID, '{"service.name":"a"}'),
        { ...resource("bb".repeat(16)), table: "scopes" as const, name: "lib" },
      ];
      await Promise.all([1, 2, 3, 4].map((n) => rig.write([span(`s${n}`)], { shared })));
      expect(await resources()).toEqual([{ id: "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa", attributes: { "service.name": "a" } }]);
      expect(await rig.sql`SELECT name FROM scopes`).toEqual([{ name: "lib" }]);
    });

    it("are stored without content when the database does not take it, and the spans are kept", async () => {
      const shared = [resource(RESOURCE_ID, '{"a":"\\u0000"}'), resource("bb".repeat(16), '{"b":1}')];
      const result: WriteResult = await rig.write([span("s")], { shared });
      expect(countsOf(result)).toMatchObject({ stored: 1 });
      expect((await resources()).map((row) => row["attributes"])).toEqual([{}, { b: 1 }]);
    });
  });
});
