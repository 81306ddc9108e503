import { describe, expect, it } from "vitest";
import { gatherRows, type TableRows } from "../../../collector/exporters/postgres/gather.ts";
import { identityText } from "../../../collector/exporters/postgres/row-layout.ts";
import { GENERATION_LOGS, LOG_RECORDS, SPANS } from "../../../collector/rows/table-spec.ts";
import { encodedRequest, generation, generationRow, type Item, log, span, untimed } from "../../support/encoded-request.ts";
import { partOf } from "../../support/pending-parts.ts";

const gather = (which: "fresh" | "revisiting", ...requests: Item[][][]): TableRows[] =>
  gatherRows(
    requests.map((items) => partOf(encodedRequest(items))),
    which,
  );
const keysOf = ({ table, rows }: TableRows): string[] => rows.map((row) => identityText(table, row, "key"));
const itemsOf = (table: TableRows | undefined): number[] => table?.rows.map((row) => row.item) ?? [];

const DAY = 86_400_000;
const NOON = Date.UTC(2026, 5, 1, 12);

describe("the rows of a batch", () => {
  it("come in one order, whatever order the requests had", () => {
    const items = Array.from({ length: 40 }, (_, i) => span(`s${i}`, { start_time: NOON + (i % 3) * DAY }));
    const forward = gather("fresh", items.slice(0, 20), items.slice(20));
    const backward = gather("fresh", items.toReversed());
    expect(keysOf(forward[0]!)).toHaveLength(40);
    expect(keysOf(backward[0]!)).toEqual(keysOf(forward[0]!));
  });

  it("come by time first, so that partitions are visited in order", () => {
    const [spans] = gather("fresh", [
      span("a", { start_time: NOON + DAY }),
      span("b", { start_time: NOON - DAY }),
      span("c", { start_time: NOON }),
    ]);
    expect(itemsOf(spans)).toEqual([1, 2, 0]);
  });

  it("come table by table in one order", () => {
    const tables = gather("fresh", [log("l"), generation("g")]);
    expect(tables.map(({ table }) => table.name)).toEqual(["generation_logs", "log_records", "spans"]);
  });

  it("take only the items of the part", () => {
    const whole = partOf(encodedRequest([generation("a"), generation("b"), generation("c")]));
    const tables = gatherRows([{ ...whole, fromItem: 1, toItem: 2 }], "fresh");
    expect(tables.map(itemsOf)).toEqual([[1], [1]]);
  });
});

describe("a key that stands twice in a batch", () => {
  it("DUP-02 is kept once, the first one, across requests", () => {
    const [spans] = gather("fresh", [span("a")], [span("b"), span("a")]);
    expect(spans?.rows).toHaveLength(2);
    expect(spans?.conflicting).toEqual([]);
  });

  it("is a conflict when the contents differ", () => {
    const [spans] = gather("fresh", [span("a"), span("a", { name: "another" })]);
    expect(itemsOf(spans)).toEqual([0]);
    expect(spans?.conflicting.map((row) => row.item)).toEqual([1]);
  });

  it("is no conflict when only the delivery differs", () => {
    const [spans] = gather("fresh", [span("a"), span("a", { received_at: NOON + DAY, ingest_notes: '{"n":1}' })]);
    expect(spans?.conflicting).toEqual([]);
  });

  it("tells NULL from empty text", () => {
    const [spans] = gather("fresh", [span("a", { status_message: "" }), span("a", { status_message: null })]);
    expect(spans?.conflicting).toHaveLength(1);
  });

  it.each([
    ["pending", "success", 1],
    ["success", "pending", 0],
    ["pending", "pending", 0],
  ])("keeps what is finished: %s then %s", (first, second, kept) => {
    const row = (status: string): Item[] => [{ table: GENERATION_LOGS, row: generationRow("g", { generation_status: status }) }];
    const [generations] = gather("fresh", [row(first), row(second)]);
    expect(itemsOf(generations)).toEqual([kept]);
    expect(generations?.conflicting).toEqual([]);
  });
});

describe("rows without a time of their own", () => {
  it("are one by trace and span, at whatever time they came", () => {
    const [spans] = gather("revisiting", [untimed("a", NOON), untimed("b", NOON)], [untimed("a", NOON + DAY)]);
    expect(spans?.rows).toHaveLength(2);
    expect(spans?.conflicting).toEqual([]);
  });
});

describe("identityText", () => {
  it("states the key's values exactly", () => {
    const [spans] = gather("fresh", [span("a", { start_time: Date.UTC(2000, 0, 1) })]);
    expect(identityText(SPANS, spans!.rows[0]!, "key")).toMatch(/^00000001 [0-9a-f]{32} [0-9a-f]{16} 0000000000000000$/);
    expect(identityText(SPANS, spans!.rows[0]!, "timeless")).toMatch(/^00000001 [0-9a-f]{32} [0-9a-f]{16}$/);
  });

  it("reads the key of a log record, whose time comes second", () => {
    const [logs] = gather("fresh", [log("l", { time: Date.UTC(2000, 0, 1) + 1 })]);
    expect(identityText(LOG_RECORDS, logs!.rows[0]!, "key")).toMatch(/^00000001 00000000000003e8 [0-9a-f]{32}$/);
  });
});
