import { describe, expect, it } from "vitest";
import { createTraceEncoder } from "../../../collector/rows/encode-traces.ts";
import { createRequestBuilder } from "../../../collector/rows/request-builder.ts";
import { createBodyEncoder, RECEIVED_AT_MS, rowsOf } from "../../support/encoding.ts";
import { any, keyValue, lengthField, span, varintField } from "../../support/wire-builder.ts";

const resource = (name: string, ...more: Buffer[]): Buffer =>
  lengthField(1, lengthField(1, keyValue("service.name", any.string(name))), ...more);
const scoped = (...fields: Buffer[]): Buffer => lengthField(2, ...fields, lengthField(2, span()));
const scope = (name: string, version = "1"): Buffer => lengthField(1, lengthField(1, name), lengthField(2, version));
const request = (...fields: Buffer[]): Buffer => lengthField(1, ...fields);

/** What one request says of its first span's origin. */
function originOf(raw: Buffer, encode = createBodyEncoder("traces")) {
  const encoded = encode(raw);
  const [row] = rowsOf(encoded, "spans");
  const shared = (table: string) => encoded.shared.find((each) => each.table === table);
  return { service: row?.["service_name"], resource: shared("resources"), scope: shared("scopes"), row };
}

describe("resources and scopes that come again", () => {
  it("are the same rows, and offered with every request that needs them", () => {
    const raw = request(resource("a"), scoped(scope("lib")));
    const [first, second] = [originOf(raw), originOf(raw)];
    expect(second).toEqual(first);
    expect(first).toMatchObject({
      service: "a",
      resource: { attributes: '{"service.name":"a"}' },
      scope: { name: "lib", version: "1" },
      row: { resource_id: first.resource?.id, scope_id: first.scope?.id },
    });
  });

  it("are others where anything of them differs", () => {
    const all = [
      request(resource("a"), scoped(scope("lib"))),
      request(resource("b"), scoped(scope("lib", "2"))),
      request(resource("a", varintField(2, 3)), scoped(scope("lib"), lengthField(3, "https://schema/1"))),
      request(resource("a"), lengthField(3, "https://schema/1"), scoped(scope("li"), lengthField(3, "b"))),
    ].map((raw) => originOf(raw));
    expect(new Set(all.map((each) => each.resource?.id)).size).toBe(4);
    expect(new Set(all.map((each) => each.scope?.id)).size).toBe(4);
  });

  it("an absent scope is none, an empty one is a row", () => {
    expect(originOf(request(resource("a"), scoped())).scope).toBeUndefined();
    expect(originOf(request(resource("a"), scoped(lengthField(1)))).scope).toMatchObject({ name: null, version: null });
    expect(originOf(request(resource("a"), scoped())).scope).toBeUndefined();
  });

  it("a resource that comes in pieces is what its pieces make together, each time", () => {
    const [a, b] = ["x", "y"].map((value) => lengthField(1, lengthField(1, keyValue("k", any.string(value)))));
    const encode = createBodyEncoder("traces");
    const texts = [request(resource("s"), a!, scoped()), request(resource("s"), b!, scoped()), request(resource("s"), scoped())];
    expect(texts.map((raw) => originOf(raw, encode).resource?.attributes)).toEqual([
      '{"service.name":"s","k":"x"}',
      '{"service.name":"s","k":"y"}',
      '{"service.name":"s"}',
    ]);
  });

  it("belong to the project that sent them", () => {
    const raw = request(resource("a"), scoped(scope("lib")));
    const projects = [1, 2].map((projectId) => {
      const encoder = createTraceEncoder();
      const builder = createRequestBuilder({ signal: "traces", projectId, raw, receivedAtMs: RECEIVED_AT_MS });
      encoder.open(builder);
      while (encoder.next() !== "end") encoder.encode();
      return builder.finish().shared.map((row) => row.projectId);
    });
    expect(projects).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  it("one larger than what is remembered is read all the same", () => {
    const large = keyValue("large", any.string("x".repeat(5_000)));
    const raw = request(lengthField(1, lengthField(1, large)), scoped());
    expect(originOf(raw).resource?.attributes).toBe(JSON.stringify({ large: "x".repeat(5_000) }));
    expect(originOf(raw)).toEqual(originOf(raw));
  });
});
