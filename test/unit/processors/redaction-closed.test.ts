import { expect, it } from "vitest";
import { createRedactor } from "../../../collector/processors/redaction.ts";
import { rowsFromTraces } from "../../support/encoding.ts";
import { any, keyValue, lengthField, span, spanId, tracesRequest, varint } from "../../support/wire-builder.ts";

// Put together here, so that no scanner takes this file for a leak.
const SECRET = `AKIA${"IOSFODNN7EXAMPLE"}`;
/** One that looks at places which a search has found, and one that looks at every text. */
const REDACTORS = [
  createRedactor({ secrets: true, pii: [], patterns: [] }),
  createRedactor({ secrets: false, pii: [], patterns: [{ name: "aws", regex: "AKIA[A-Z]{16}|AKIA[A-Z0-9]{16}" }] }),
];

const secretSpan = (more: readonly Buffer[] = []): Buffer =>
  span({ spanId: spanId(7), attributes: [keyValue("k", any.string(SECRET))], more });

/** A group of field 99 with a varint and a group inside: unknown, and legal for every decoder. */
const group = Buffer.concat([
  varint((99 << 3) | 3),
  Buffer.from([0x08, 0x01]),
  varint((1 << 3) | 3),
  varint((1 << 3) | 4),
  varint((99 << 3) | 4),
]);
/** A field that says to be longer than its message. */
const broken = Buffer.concat([varint((9 << 3) | 2), varint(100_000)]);

it.each<[string, Buffer, number]>([
  ["after a group that the decoder skips", tracesRequest([Buffer.concat([group, secretSpan()])]), 1],
  ["after a span that breaks off", tracesRequest([span({ spanId: spanId(1), more: [broken] }), secretSpan()]), 1],
  ["in what is left of a span that breaks off", tracesRequest([Buffer.concat([broken, secretSpan()])]), 0],
  ["after a value that breaks off", tracesRequest([span({ attributes: [lengthField(1, "k").fill(0xff, 1)] }), secretSpan()]), 1],
  ["after a span with a tag of ten bytes", tracesRequest([span({ more: [Buffer.alloc(10, 0xff)] }), secretSpan()]), 1],
])("RED-03 a secret %s is found all the same", (_, sent, spans) => {
  for (const redact of REDACTORS) {
    const body = Buffer.from(sent);
    expect([...redact(body, "traces")]).toEqual([["aws", 1]]);
    expect(body.includes(SECRET)).toBe(false);
    expect(rowsFromTraces(body).spans).toHaveLength(spans);
  }
});
