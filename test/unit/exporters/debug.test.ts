import { describe, expect, it } from "vitest";
import type { Log } from "../../../collector/base/log.ts";
import { createDebugExporter, type DebugOptions } from "../../../collector/exporters/debug.ts";
import { encodedRequest, generation, log as logItem, span } from "../../support/encoded-request.ts";

const SECRET = "the prompt of a user";
const request = encodedRequest([
  generation("a", {
    prompt_full_text: SECRET,
    response_full_text: SECRET,
    system_instructions: SECRET,
    error_message: SECRET,
    tokens_prompt: 7,
  }),
  span("b", { attributes: `{"a":"${SECRET}"}`, events: `["${SECRET}"]`, status_message: SECRET }),
  logItem("c", { body: `"${SECRET}"` }),
]);

function exporterWith(options: Partial<DebugOptions>) {
  const lines: Record<string, unknown>[] = [];
  const clock = { millis: 1_000_000 };
  const log = { info: (fields: Record<string, unknown>) => void lines.push(fields) } as unknown as Log;
  const write = createDebugExporter(
    { verbosity: "basic", sampling_initial: 2, sampling_thereafter: 1, ...options },
    log,
    () => clock.millis,
  );
  return { lines, clock, write };
}

function linesOf(verbosity: DebugOptions["verbosity"]): Record<string, unknown>[] {
  const { lines, write } = exporterWith({ verbosity });
  write(request);
  return lines;
}

describe("verbosity", () => {
  it("basic is one line of counts per request", () => {
    expect(linesOf("basic")).toEqual([{ signal: "traces", items: 3, bytes: request.raw.length }]);
  });

  it("normal adds a line per row with its names, ids and counts", () => {
    const [first, ...rows] = linesOf("normal");
    expect(first).toMatchObject({ items: 3, rows: { spans: 2, generation_logs: 1, log_records: 1 }, refused: 0 });
    expect(rows).toHaveLength(4);
    expect(rows[0]).toMatchObject({
      table: "spans",
      name: "span a",
      service_name: "test",
      trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(rows.find(({ table }) => table === "generation_logs")).toMatchObject({ tokens_prompt: 7, generation_status: "success" });
  });

  it.each(["basic", "normal"] as const)("%s never shows content", (verbosity) => {
    expect(JSON.stringify(linesOf(verbosity))).not.toContain(SECRET);
  });

  it("detailed shows all that is stored, prompts too", () => {
    const rows = linesOf("detailed").slice(1);
    expect(rows.filter((row) => JSON.stringify(row).includes(SECRET))).toHaveLength(3);
    expect(rows.find(({ table }) => table === "generation_logs")).toMatchObject({ prompt_full_text: SECRET });
  });
});

describe("sampling", () => {
  const countWritten = (options: Partial<DebugOptions>, requests: number): number => {
    const { lines, write } = exporterWith(options);
    for (let i = 0; i < requests; i++) write(request);
    return lines.length;
  };

  it.each([
    ["off by default", {}, 10],
    ["the first three, then every second", { sampling_initial: 3, sampling_thereafter: 2 }, 6],
    ["the first three, then none", { sampling_initial: 3, sampling_thereafter: 0 }, 3],
    ["every fourth alone", { sampling_initial: 0, sampling_thereafter: 4 }, 2],
  ])("%s", (_, options, expected) => {
    expect(countWritten(options, 10)).toBe(expected);
  });

  it("begins anew every second", () => {
    const { lines, clock, write } = exporterWith({ sampling_initial: 1, sampling_thereafter: 0 });
    write(request);
    write(request);
    clock.millis += 1_000;
    write(request);
    expect(lines).toHaveLength(2);
  });
});
