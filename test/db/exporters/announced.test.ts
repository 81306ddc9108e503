import { expect, it } from "vitest";
import { GENERATION_LOGS } from "../../../collector/rows/table-spec.ts";
import { describeEachServer } from "../../support/database.ts";
import { generation, generationRow, type Item, span } from "../../support/encoded-request.ts";
import { countsOf, createExporterRig, type ExporterRig } from "../../support/exporter-rig.ts";
import { useExporterRig } from "../../support/exporter-suite.ts";

const NOON = Date.UTC(2026, 5, 1, 12);
const DAY = 86_400_000;
const COUNT = 40;

/** Calls over several days, each announced by a span of its own below it. */
const startOf = (i: number): number => NOON + (i % 3) * DAY + i;
const announcement = (i: number): Item[] => [
  ...span(`announcement ${i}`, { start_time: startOf(i) }),
  {
    table: GENERATION_LOGS,
    row: generationRow(`g${i}`, { start_time: startOf(i), generation_status: "pending", prompt_full_text: "asked" }),
  },
];
const ended = (i: number): Item[] =>
  generation(`g${i}`, { start_time: startOf(i), end_time: startOf(i) + 5, prompt_full_text: "answered" }, { start_time: startOf(i) });
const all = (make: (i: number) => Item[]): Item[][] => Array.from({ length: COUNT }, (_, i) => make(i));
const numbers = [...Array(COUNT).keys()];

describeEachServer("a finished call that was announced", (server) => {
  const rig = useExporterRig(server, { emptied: ["spans", "generation_logs"] });
  const pathsOf = async (from: ExporterRig): Promise<Record<string, number>> => {
    const { values } = await from.metrics.batches.get();
    return Object.fromEntries(values.map(({ labels, value }) => [labels.path, value]));
  };
  const statuses = () =>
    rig.sql`SELECT generation_status AS status, prompt_full_text AS prompt, count(*)::int AS rows FROM generation_logs GROUP BY 1, 2 ORDER BY 1`;
  const answered = [{ status: "success", prompt: "answered", rows: COUNT }];

  it("replaces its announcement without meeting a duplicate key when it says that there is one", async () => {
    const other = createExporterRig({ url: rig.url });
    await rig.write(all(announcement), { announcing: numbers });
    expect(countsOf(await other.write(all(ended), { announced: numbers }))).toEqual({
      stored: COUNT,
      duplicates: 0,
      conflicting: 0,
      refused: 0,
    });
    expect(await pathsOf(other)).toEqual({ fast: 1 });
    expect(await statuses()).toEqual(answered);
    await other.stop();
  });

  it("replaces it so, too, when it says nothing and came through the same collector", async () => {
    await rig.write(all(announcement), { announcing: numbers });
    expect(countsOf(await rig.write(all(ended)))).toMatchObject({ stored: COUNT });
    expect(await pathsOf(rig)).toEqual({ fast: 2 });
    expect(await statuses()).toEqual(answered);
  });

  it("is stored where its announcement never came, and an announcement after it changes nothing", async () => {
    expect(countsOf(await rig.write(all(ended), { announced: numbers }))).toMatchObject({ stored: COUNT });
    expect(await pathsOf(rig)).toEqual({ fast: 1 });
    // Each item has a span of its own, which is new.
    expect(countsOf(await rig.write(all(announcement), { announcing: numbers }))).toMatchObject({ stored: COUNT, conflicting: 0 });
    expect(await statuses()).toEqual(answered);
  });

  it("sent again is a duplicate and stays what it is", async () => {
    await rig.write(all(announcement), { announcing: numbers });
    await rig.write(all(ended), { announced: numbers });
    expect(countsOf(await rig.write(all(ended), { announced: numbers }))).toEqual({
      stored: 0,
      duplicates: COUNT,
      conflicting: 0,
      refused: 0,
    });
    expect(countsOf(await rig.write(all(announcement), { announcing: numbers }))).toMatchObject({ stored: 0, duplicates: COUNT });
    expect(await statuses()).toEqual(answered);
  });

  it("and its announcement in one batch leave one row", async () => {
    const items = [...all(ended), ...all(announcement)];
    const announcing = numbers.map((i) => i + COUNT);
    expect(countsOf(await rig.write(items, { announced: numbers, announcing }))).toMatchObject({ stored: 2 * COUNT, conflicting: 0 });
    expect(await statuses()).toEqual(answered);
    expect(await rig.count("spans")).toBe(2 * COUNT);
  });

  it("replaces a row that was given up", async () => {
    await rig.write(all(announcement), { announcing: numbers });
    await rig.sql`UPDATE generation_logs SET generation_status = 'timeout', error_type = 'genspan.never_ended'`;
    await rig.write(all(ended), { announced: numbers });
    expect(await pathsOf(rig)).toEqual({ fast: 2 });
    expect(await statuses()).toEqual(answered);
    expect(await rig.sql`SELECT DISTINCT error_type FROM generation_logs`).toEqual([{ error_type: null }]);
  });

  it("keeps its announcement's row when its own transaction is rolled back", async () => {
    await rig.write([announcement(0)], { announcing: [0] });
    const poison = generation("poison", { additional_metadata: "no json" });
    expect(countsOf(await rig.write([ended(0), poison], { announced: [0] }))).toMatchObject({ stored: 1, refused: 1 });
    expect(await statuses()).toEqual([{ status: "success", prompt: "answered", rows: 1 }]);
  });
});

describeEachServer("a span that is sent when it begins and again when it has ended", (server) => {
  const rig = useExporterRig(server, { emptied: ["spans", "generation_logs"] });
  const begun = (): Item[][] => [
    generation("g", { generation_status: "pending", prompt_full_text: "asked" }, { end_time: null, duration_ns: null, name: "begun" }),
  ];
  const over = (): Item[][] => [generation("g", { end_time: NOON + 5, prompt_full_text: "answered" }, { name: "over" })];
  const rows = () =>
    rig.sql`SELECT s.name, s.end_time IS NOT NULL AS ended, g.prompt_full_text AS prompt, g.generation_status AS status
      FROM spans s JOIN generation_logs g USING (project_id, trace_id, span_id, start_time)`;
  const whole = [{ name: "over", ended: true, prompt: "answered", status: "success" }];

  it.each<[string, (() => Item[][])[]]>([
    ["in its order", [begun, over]],
    ["the other way round", [over, begun]],
    ["each twice", [begun, begun, over, begun, over]],
  ])("is one row that tells the end: %s", async (_, sent) => {
    const told = [];
    for (const make of sent) told.push(countsOf(await rig.write(make(), { announcing: make === begun ? [0] : [] })));
    expect(await rows()).toEqual(whole);
    expect(told.every(({ conflicting, refused }) => conflicting === 0 && refused === 0)).toBe(true);
  });

  it("is one row when both come in one batch, or through another collector", async () => {
    await rig.write([...begun(), ...over()], { announcing: [0] });
    expect(await rows()).toEqual(whole);
    await rig.sql`TRUNCATE spans, generation_logs`;
    const other = createExporterRig({ url: rig.url });
    await rig.write(begun(), { announcing: [0] });
    await other.write(over());
    expect(await rows()).toEqual(whole);
    await other.stop();
  });
});
