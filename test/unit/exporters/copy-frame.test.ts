import { describe, expect, it } from "vitest";
import { ByteWriter } from "../../../collector/base/byte-writer.ts";
import { frameTables } from "../../../collector/exporters/postgres/copy-frame.ts";
import { gatherRows } from "../../../collector/exporters/postgres/gather.ts";
import { encodedRequest, generation, span } from "../../support/encoded-request.ts";
import { partOf } from "../../support/pending-parts.ts";

/** Payloads of CopyData messages, read by the protocol's own rules. */
function messages(framed: Buffer): Buffer[] {
  const payloads: Buffer[] = [];
  for (let at = 0; at < framed.length; ) {
    expect(framed.toString("latin1", at, at + 1)).toBe("d");
    const end = at + 1 + framed.readInt32BE(at + 1);
    payloads.push(framed.subarray(at + 5, end));
    at = end;
  }
  return payloads;
}

const SIGNATURE = Buffer.from("PGCOPY\n\xff\r\n\0", "latin1");

describe("framing rows for COPY", () => {
  it("gives one complete binary stream per table, in messages of bounded size", () => {
    const request = encodedRequest(Array.from({ length: 300 }, (_, i) => generation(`g${i}`, { prompt_full_text: "p".repeat(1_000) })));
    const tables = gatherRows([partOf(request)], "fresh");
    const framed = frameTables(new ByteWriter(), tables);
    for (const [i, { rows }] of tables.entries()) {
      const payloads = messages(framed[i]!);
      const stream = Buffer.concat(payloads);
      const content = Buffer.concat(rows.map((row) => row.bytes.subarray(row.start, row.end)));
      expect(stream.subarray(0, 19)).toEqual(Buffer.concat([SIGNATURE, Buffer.alloc(8)]));
      expect(stream.subarray(19, -2).equals(content)).toBe(true);
      expect(stream.readInt16BE(stream.length - 2)).toBe(-1);
      expect(payloads.length).toBeGreaterThan(1);
      expect(Math.max(...payloads.map((payload) => payload.length))).toBeLessThan(70_000);
    }
  });

  it("does not split a row that is larger than a message", () => {
    const tables = gatherRows([partOf(encodedRequest([span("a"), span("b", { name: "x".repeat(300_000) }), span("c")]))], "fresh");
    const payloads = messages(frameTables(new ByteWriter(), tables)[0]!);
    expect(payloads.some((payload) => payload.length > 300_000)).toBe(true);
  });

  it("reuses its buffer without traces of the batch before", () => {
    const out = new ByteWriter();
    const large = gatherRows([partOf(encodedRequest([span("a", { name: "x".repeat(9_000) })]))], "fresh");
    const small = gatherRows([partOf(encodedRequest([span("b")]))], "fresh");
    frameTables(out, large);
    expect(frameTables(out, small)).toEqual(frameTables(new ByteWriter(), small));
  });
});
