import { describe, expect, it } from "vitest";
import { describeEachServer } from "../support/database.ts";
import { usePipelineRig } from "../support/pipeline-suite.ts";
import { any, keyValue, lengthField, type SpanParts, START_NS, span, spanId, tracesRequest, varint } from "../support/wire-builder.ts";

/** What no encoder would send, from the wire to SQL: PostgreSQL takes every row and gives it back as told. */
describeEachServer("spans that are hard to store", (server) => {
  const rig = usePipelineRig(server, "spans", "generation_logs", "ingest_rejected");

  const CALL = [keyValue("gen_ai.operation.name", any.string("chat")), keyValue("gen_ai.request.model", any.string("m"))];
  const BAD = 3;
  const count = async (table: string): Promise<number> => (await rig.sql`SELECT count(*)::int AS n FROM ${rig.sql(table)}`)[0]?.["n"];

  /** Stores a span among 49 sound ones and gives its row. */
  async function stored(parts: SpanParts): Promise<Record<string, unknown>> {
    const spans = Array.from({ length: 50 }, (_, i) => span({ ...(i === BAD ? parts : {}), spanId: spanId(i) }));
    expect(await rig.send(tracesRequest(spans))).toEqual({ kind: "accepted" });
    expect([await count("spans"), await count("ingest_rejected")]).toEqual([50, 0]);
    const [row] = await rig.sql`SELECT * FROM spans WHERE span_id = ${spanId(BAD).toString("hex")}`;
    return row as Record<string, unknown>;
  }

  /** An attribute of that span as SQL shows it. */
  const shown = async (key: string): Promise<string> =>
    (await rig.sql`SELECT attributes->>${key} AS value FROM spans WHERE span_id = ${spanId(BAD).toString("hex")}`)[0]?.["value"];

  const attribute = (key: string, value: Buffer): SpanParts => ({ attributes: [keyValue(key, value)] });

  it("thousands of items with the same broken bytes are answered at once, each counted, and kept once", async () => {
    const empty = Array.from({ length: 20_000 }, () => Buffer.alloc(0));
    const sent = tracesRequest([span({ spanId: spanId(1) }), ...empty, span({ spanId: spanId(2), traceId: Buffer.alloc(3) })]);
    expect(await rig.send(sent)).toMatchObject({ kind: "partial", rejected: 20_001 });
    expect([await count("spans"), await count("ingest_rejected")]).toEqual([1, 2]);
    expect(await rig.send(sent)).toMatchObject({ kind: "partial", rejected: 20_001 });
    expect([await count("spans"), await count("ingest_rejected")]).toEqual([1, 2]);
  });

  it("ENC-01 NUL reads back as U+FFFD", async () => {
    const row = await stored(attribute("gen_ai.prompt", any.string("a\u0000b")));
    expect([await shown("gen_ai.prompt"), row["ingest_notes"]]).toEqual(["a\uFFFDb", { sanitized: { nul: ["attributes.gen_ai.prompt"] } }]);
  });

  it.each([
    ["ENC-04 invalid UTF-8", Buffer.from([0x66, 0xff, 0xfe]), "f\uFFFD\uFFFD"],
    ["ENC-06 an emoji cut in two", Buffer.from("x🎉").subarray(0, 3), "x\uFFFD"],
  ])("%s reads back with U+FFFD", async (_, bytes, text) => {
    await stored(attribute("k", any.string(bytes)));
    expect(await shown("k")).toBe(text);
  });

  it("ENC-07 lone surrogates of JSON read back as U+FFFD", async () => {
    const attributes = ["x\ud800y", "\udc00"].map((stringValue, i) => ({ key: `k${i}`, value: { stringValue } }));
    const sent = { traceId: "ab".repeat(16), spanId: "cd".repeat(8), name: "s", startTimeUnixNano: String(START_NS), attributes };
    expect(await rig.send({ resourceSpans: [{ scopeSpans: [{ spans: [sent] }] }] })).toEqual({ kind: "accepted" });
    expect(await rig.sql`SELECT attributes, ingest_notes FROM spans`).toEqual([
      { attributes: { k0: "x\uFFFDy", k1: "\uFFFD" }, ingest_notes: { sanitized: { utf8: ["attributes.k0", "attributes.k1"] } } },
    ]);
  });

  it("IDS-04 what JSON sends in another form reads back with what was sent", async () => {
    const sent = {
      traceId: Buffer.alloc(16, 0xab).toString("base64"),
      spanId: "cd".repeat(8),
      parentSpanId: "z\u0000z\ud800",
      startTimeUnixNano: "2026-11-21",
      flags: -1,
      attributes: [{ key: "n\u0000", value: { intValue: "abc" } }],
      links: [{ traceId: "zz", spanId: "1" }],
    };
    expect(await rig.send({ resourceSpans: [{ scopeSpans: [{ spans: [sent] }] }] })).toEqual({ kind: "accepted" });
    const [row] = await rig.sql`SELECT trace_id, parent_span_id, flags, links, ingest_notes FROM spans`;
    expect(row).toEqual({
      trace_id: "ab".repeat(16),
      parent_span_id: null,
      flags: null,
      links: [{ trace_id: null, span_id: null, attributes: {} }],
      ingest_notes: {
        sanitized: { nul: ["attributes.n\uFFFD"], id_base64: ["trace_id"] },
        time: { start: "0" },
        sent: { parent_span_id: "7a007aff", start_time: "2026-11-21", flags: "-1", "links.0.trace_id": "zz", "links.0.span_id": "1" },
        sent_as: { "attributes.n\uFFFD": "intValue" },
      },
    });
  });

  it("ENC-09 NaN and infinities read back as text, and do not spoil an average", async () => {
    const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const attributes = special.map((value, i) => keyValue(`k${i}`, any.double(value)));
    await stored({ attributes: [...CALL, keyValue("gen_ai.request.temperature", any.double(Number.NaN)), ...attributes] });
    expect(await Promise.all([0, 1, 2].map((i) => shown(`k${i}`)))).toEqual(["NaN", "Infinity", "-Infinity"]);
    expect(
      await rig.sql`SELECT model_temperature, (SELECT avg(model_temperature) FROM generation_logs) AS average FROM generation_logs`,
    ).toEqual([{ model_temperature: null, average: null }]);
  });

  it.each(["9007199254740993", String(2n ** 63n - 1n), String(-(2n ** 63n))])(
    "ENC-11 %s reads back with all its digits",
    async (digits) => {
      await stored(attribute("n", any.int(BigInt(digits))));
      expect(await shown("n")).toBe(digits);
    },
  );

  it("ENC-13 ENC-14 ENC-18 ENC-20 bytes, empty values and odd keys read back as they are", async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const row = await stored({
      attributes: [
        keyValue("bytes", any.bytes(bytes)),
        keyValue("empty", any.empty()),
        keyValue("", any.string("no key")),
        keyValue("__proto__", any.string("p")),
        keyValue("a", any.string("1")),
        keyValue("a.b", any.string("2")),
      ],
    });
    expect(Object.entries(row["attributes"] as object).toSorted()).toEqual(
      [
        ["", "no key"],
        ["__proto__", "p"],
        ["a", "1"],
        ["a.b", "2"],
        ["bytes", bytes.toString("base64")],
        ["empty", null],
      ].toSorted(),
    );
  });

  it("ENC-25 kinds, codes and flags beyond what is defined offend no constraint", async () => {
    const flags = Buffer.from([0x85, 0x01, 0xff, 0xff, 0xff, 0xff]);
    const row = await stored({ more: [Buffer.from([0x30, 99]), lengthField(15, Buffer.from([0x18, 42])), flags] });
    expect(row).toMatchObject({ kind: 99, status_code: 42, flags: String(2 ** 32 - 1) });
  });

  it("TIM-01 TIM-04 times read back to the nanosecond, an end before the start too", async () => {
    const row = await stored({ end: START_NS - 5_000_000n });
    const [times] = await rig.sql`
      SELECT genspan_unix_nano(start_time, start_nano)::text AS start, genspan_unix_nano(end_time, end_nano)::text AS "end", start_time::text AS text
      FROM spans WHERE span_id = ${spanId(BAD).toString("hex")}`;
    expect(times).toMatchObject({ start: String(START_NS), end: String(START_NS - 5_000_000n), text: expect.stringContaining(".123456") });
    expect(row["duration_ns"]).toBe("0");
  });

  it("TIM-02 without a start a span stands at its arrival, and not in 1970", async () => {
    const row = await stored({ start: 0n, end: 0n });
    expect(Math.abs(Date.now() - (row["start_time"] as Date).getTime())).toBeLessThan(60_000);
    expect(row).toMatchObject({ end_time: null, duration_ns: null, ingest_notes: { time: { start: "0" } } });
  });

  describe("large ones", () => {
    it("SIZ-01 a prompt of 10 MB is stored whole", async () => {
      const prompt = JSON.stringify([{ role: "user", parts: [{ type: "text", content: "lorem ipsum ".repeat(870_000) }] }]);
      await stored({ attributes: [...CALL, keyValue("gen_ai.input.messages", any.string(prompt))] });
      expect(await rig.sql`SELECT prompt_full_text = ${prompt} AS whole FROM generation_logs`).toEqual([{ whole: true }]);
    });

    it("SIZ-06 a value nested 20,000 levels is cut, and PostgreSQL takes the rest", async () => {
      let value = any.int(1);
      for (let i = 0; i < 20_000; i++) {
        const inner = Buffer.concat([Buffer.from([0x0a]), varint(value.length), value]);
        value = Buffer.concat([Buffer.from([0x2a]), varint(inner.length), inner]);
      }
      expect(await stored(attribute("deep", value))).toMatchObject({ ingest_notes: { sanitized: { depth: ["attributes.deep"] } } });
    });

    it("SIZ-09 10,000 attributes, events and links are stored whole", async () => {
      const attributes = Array.from({ length: 10_000 }, (_, i) => keyValue(`key.${i}`, any.int(i)));
      const event = lengthField(11, lengthField(2, "e"));
      const link = lengthField(13, lengthField(1, Buffer.alloc(16, 1)), lengthField(2, Buffer.alloc(8, 2)));
      const row = await stored({ attributes, more: Array.from({ length: 10_000 }, () => Buffer.concat([event, link])) });
      const sizes = [Object.keys(row["attributes"] as object), row["events"], row["links"]].map((list) => (list as unknown[]).length);
      expect(sizes).toEqual([10_000, 10_000, 10_000]);
    });
  });
});
