import { expect, it } from "vitest";
import type { Log } from "../../../collector/base/log.ts";
import { createDebugExporter } from "../../../collector/exporters/debug.ts";
import { encodedRequest, generation, span } from "../../support/encoded-request.ts";

const SECRET = "the prompt of a user";
const request = encodedRequest([generation("a", { prompt_full_text: SECRET }), span("b", { attributes: `{"a":"${SECRET}"}` })]);

function linesOf(verbosity: "basic" | "normal"): object[] {
  const lines: object[] = [];
  const log = { info: (fields: object) => void lines.push(fields) } as unknown as Log;
  createDebugExporter(verbosity, log)(request);
  return lines;
}

it("the debug exporter writes one line of counts per request", () => {
  expect(linesOf("basic")).toEqual([{ signal: "traces", items: 2, bytes: request.raw.length }]);
});

it("the debug exporter adds rows by table when it is told to", () => {
  expect(linesOf("normal")).toMatchObject([{ items: 2, rows: { spans: 2, generation_logs: 1 }, refused: 0 }]);
});

it("the debug exporter never writes content", () => {
  expect(JSON.stringify([linesOf("basic"), linesOf("normal")])).not.toContain(SECRET);
});
