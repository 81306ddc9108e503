import { hash } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { Arena, AttributeList, VALUE_BOOL, VALUE_DOUBLE, VALUE_INT, VALUE_STRING } from "../../../collector/otlp/attribute-list.ts";
import { type AttributeRule, type AttributesOptions, createAttributesProcessor } from "../../../collector/processors/attributes.ts";
import type { Item } from "../../../collector/processors/item-match.ts";
import { valueText } from "../../../collector/processors/value-text.ts";

type Value = string | number | bigint | boolean;

function listOf(values: Readonly<Record<string, Value>>, arena = new Arena()): AttributeList {
  const list = new AttributeList(arena);
  for (const [name, value] of Object.entries(values)) {
    const index = list.append(name);
    if (typeof value === "string") list.setText(index, value);
    else if (typeof value === "boolean") list.setScalar(index, VALUE_BOOL, value);
    else list.setScalar(index, Number.isInteger(Number(value)) ? VALUE_INT : VALUE_DOUBLE, value);
  }
  return list;
}

interface ItemParts {
  readonly attributes?: Readonly<Record<string, Value>>;
  readonly resource?: Readonly<Record<string, Value>>;
  readonly name?: string;
  readonly kind?: number;
}

let serial = 0;
function itemOf({ attributes = {}, resource = {}, name = "", kind = 0 }: ItemParts): Item {
  const arena = new Arena();
  arena.request = Buffer.from(`..${name}..`);
  serial++;
  return {
    arena,
    resource: { serial, attributes: listOf(resource, arena) },
    attributes: listOf(attributes, arena),
    nameOffset: 2,
    nameSize: Buffer.byteLength(name),
    kind,
  };
}

function valuesOf(list: AttributeList): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (let i = 0; i < list.count; i++) {
    if (list.findName(list.name(i)) !== i) continue;
    values[list.name(i)] = list.kinds[i] === VALUE_BOOL ? list.a[i] === 1 : (list.text(i) ?? list.number(i));
  }
  return values;
}

function changed(rules: readonly AttributeRule[], attributes: Readonly<Record<string, Value>> = { team: "search", secret: "s3cr3t" }) {
  const item = itemOf({ attributes });
  createAttributesProcessor({ actions: rules })(item);
  return valuesOf(item.attributes);
}

const kept = { team: "search", secret: "s3cr3t" };

describe("insert, update, upsert, delete", () => {
  it.each<[string, AttributeRule, Record<string, unknown>]>([
    ["insert adds a missing key", { key: "env", action: "insert", value: "test" }, { ...kept, env: "test" }],
    ["insert leaves a present key", { key: "team", action: "insert", value: "x" }, kept],
    ["update changes a present key", { key: "team", action: "update", value: "ads" }, { ...kept, team: "ads" }],
    ["update adds nothing", { key: "env", action: "update", value: "x" }, kept],
    ["upsert does both", { key: "n", action: "upsert", value: 7 }, { ...kept, n: 7 }],
    ["a fraction stays one", { key: "n", action: "upsert", value: 0.5 }, { ...kept, n: 0.5 }],
    ["a boolean stays one", { key: "ok", action: "upsert", value: true }, { ...kept, ok: true }],
    ["delete removes", { key: "secret", action: "delete" }, { team: "search" }],
    ["delete also takes names by pattern", { key: "team", action: "delete", pattern: "^sec" }, {}],
    ["from_attribute copies", { key: "group", action: "insert", from_attribute: "team" }, { ...kept, group: "search" }],
    ["from_attribute of a missing key does nothing", { key: "group", action: "insert", from_attribute: "nope" }, kept],
    [
      "default_value stands in for a missing attribute",
      { key: "group", action: "insert", from_attribute: "nope", default_value: "none" },
      { ...kept, group: "none" },
    ],
    [
      "default_value gives way to one that is there",
      { key: "group", action: "insert", from_attribute: "team", default_value: "none" },
      { ...kept, group: "search" },
    ],
  ])("%s", (_, rule, expected) => {
    expect(changed([rule])).toEqual(expected);
  });

  it("actions apply in order", () => {
    expect(
      changed([
        { key: "copy", action: "insert", from_attribute: "secret" },
        { key: "secret", action: "delete" },
        { key: "copy", action: "update", value: "gone" },
      ]),
    ).toEqual({ team: "search", copy: "gone" });
  });
});

describe("hash", () => {
  const eightBytes = (write: (bytes: Buffer) => void): Buffer => {
    const bytes = Buffer.alloc(8);
    write(bytes);
    return bytes;
  };

  it.each<[string, Value, Buffer]>([
    ["text", "grüße", Buffer.from("grüße")],
    ["an integer", -2n, eightBytes((bytes) => bytes.writeBigInt64LE(-2n))],
    ["a double", 0.5, eightBytes((bytes) => bytes.writeDoubleLE(0.5))],
    ["a boolean", true, Buffer.of(1)],
  ])("replaces %s by the SHA-256 of its bytes", (_, value, bytes) => {
    expect(changed([{ key: "user", action: "hash" }], { user: value })).toEqual({ user: hash("sha256", bytes, "hex") });
  });

  it("leaves empty text empty", () => {
    expect(changed([{ key: "user", action: "hash" }], { user: "" })).toEqual({ user: "" });
  });

  it("takes all names that match, each once", () => {
    const once = hash("sha256", "1", "hex");
    expect(changed([{ key: "user.id", action: "hash", pattern: "^user\\." }], { "user.id": "1", "user.ip": "1", other: "1" })).toEqual({
      "user.id": once,
      "user.ip": once,
      other: "1",
    });
  });
});

describe("extract", () => {
  const rule: AttributeRule = { key: "path", action: "extract", pattern: "^/shops/(?P<shop>[^/]+)(?:/(?P<item>\\d+))?" };

  it("named groups become attributes, and the source stays", () => {
    expect(changed([rule], { path: "/shops/berlin/7", shop: "old" })).toEqual({ path: "/shops/berlin/7", shop: "berlin", item: "7" });
  });

  it("a group that took no part is empty text", () => {
    expect(changed([rule], { path: "/shops/berlin" })).toEqual({ path: "/shops/berlin", shop: "berlin", item: "" });
  });

  it.each<[string, Value]>([
    ["text that does not match", "/x"],
    ["a number", 7],
  ])("nothing comes out of %s", (_, path) => {
    expect(changed([rule], { path })).toEqual({ path });
  });

  it("RED-03 a pattern that would backtrack for years comes to its end", () => {
    const path = `${"a".repeat(5_000)}!`;
    expect(changed([{ key: "path", action: "extract", pattern: "(?P<x>(a+)+)$" }], { path })).toEqual({ path });
  });
});

describe("convert", () => {
  it.each<["int" | "double" | "string", Value, number, string]>([
    ["int", "42", VALUE_INT, "42"],
    ["int", "-9223372036854775808", VALUE_INT, "-9223372036854775808"],
    ["int", "9223372036854775808", VALUE_STRING, "9223372036854775808"],
    ["int", "12 apples", VALUE_STRING, "12 apples"],
    ["int", 3.9, VALUE_INT, "3"],
    ["int", true, VALUE_INT, "1"],
    ["double", "1e3", VALUE_DOUBLE, "1000"],
    ["double", "0x10", VALUE_STRING, "0x10"],
    ["double", 7, VALUE_DOUBLE, "7"],
    ["double", false, VALUE_DOUBLE, "0"],
    ["string", 9007199254740993n, VALUE_STRING, "9007199254740993"],
    ["string", 0.5, VALUE_STRING, "0.5"],
    ["string", true, VALUE_STRING, "true"],
    ["string", "as it is", VALUE_STRING, "as it is"],
  ])("to %s: %s", (converted_type, value, kind, text) => {
    const item = itemOf({ attributes: { v: value } });
    createAttributesProcessor({ actions: [{ key: "v", action: "convert", converted_type }] })(item);
    expect([item.attributes.kinds[0], valueText(item.attributes, 0)]).toEqual([kind, text]);
  });
});

describe("include and exclude", () => {
  const NOTHING = { services: [], span_names: [], span_kinds: [], attributes: [], resources: [] };
  const shop: ItemParts = {
    name: "GET /shops",
    kind: 3,
    attributes: { env: "test", n: 7, ok: true },
    resource: { "service.name": "shop", region: "eu" },
  };
  const changes = (options: Omit<AttributesOptions, "actions">, parts: ItemParts = shop): boolean => {
    const item = itemOf(parts);
    createAttributesProcessor({ ...options, actions: [{ key: "hit", action: "insert", value: true }] })(item);
    return item.attributes.findName("hit") >= 0;
  };
  const strict = (rule: object) => ({ include: { ...NOTHING, match_type: "strict" as const, ...rule } });
  const regexp = (rule: object) => ({ include: { ...NOTHING, match_type: "regexp" as const, ...rule } });

  it.each<[string, ReturnType<typeof strict> | ReturnType<typeof regexp>, boolean]>([
    ["a service", strict({ services: ["other", "shop"] }), true],
    ["a part of a service's name", strict({ services: ["sho"] }), false],
    ["a service by pattern", regexp({ services: ["^sh"] }), true],
    ["a span name", strict({ span_names: ["GET /shops"] }), true],
    ["the beginning of a span name", strict({ span_names: ["GET "] }), false],
    ["a span name by pattern", regexp({ span_names: ["/shops$"] }), true],
    ["another span name by pattern", regexp({ span_names: ["^/shops"] }), false],
    ["a kind", strict({ span_kinds: ["SPAN_KIND_CLIENT"] }), true],
    ["another kind", strict({ span_kinds: ["SPAN_KIND_SERVER"] }), false],
    ["an attribute that is there", strict({ attributes: [{ key: "env" }] }), true],
    ["an attribute that is not", strict({ attributes: [{ key: "nope" }] }), false],
    [
      "values of every type",
      strict({
        attributes: [
          { key: "env", value: "test" },
          { key: "n", value: 7 },
          { key: "ok", value: true },
        ],
      }),
      true,
    ],
    ["a value of another type", strict({ attributes: [{ key: "n", value: "7" }] }), false],
    [
      "one of two attributes",
      strict({
        attributes: [
          { key: "env", value: "test" },
          { key: "n", value: 8 },
        ],
      }),
      false,
    ],
    ["a number by pattern", regexp({ attributes: [{ key: "n", value: "^[5-9]$" }] }), true],
    ["an attribute of the resource", strict({ resources: [{ key: "region", value: "eu" }] }), true],
    ["all properties at once", strict({ services: ["shop"], span_names: ["GET /shops"], resources: [{ key: "region" }] }), true],
    ["one property of two", strict({ services: ["shop"], span_names: ["other"] }), false],
  ])("include by %s", (_, options, expected) => {
    expect(changes(options)).toBe(expected);
  });

  it("exclude has the last word", () => {
    const { include } = strict({ services: ["shop"] });
    const { include: exclude } = regexp({ span_names: ["^GET"] });
    expect([changes({ include, exclude }), changes({ include, exclude }, { ...shop, name: "POST" })]).toEqual([false, true]);
  });

  it("a log record, which has no name and no kind, is matched by its attributes", () => {
    const { arena, resource, attributes } = itemOf(shop);
    const log: Item = { arena, resource, attributes };
    createAttributesProcessor({ ...strict({ attributes: [{ key: "env" }] }), actions: [{ key: "env", action: "delete" }] })(log);
    expect(attributes.findName("env")).toBe(-1);
  });
});

it("no string is made of a span that has none of the keys", () => {
  const item = itemOf({ name: "call", attributes: { a: "1", b: "2" }, resource: { "service.name": "shop" } });
  const process = createAttributesProcessor({
    include: { match_type: "strict", services: ["shop"], span_names: ["call"], span_kinds: [], attributes: [], resources: [] },
    actions: [
      { key: "user", action: "hash", pattern: "^user" },
      { key: "path", action: "extract", pattern: "(?P<x>.)" },
      { key: "n", action: "convert", converted_type: "int" },
      { key: "secret", action: "delete" },
      { key: "copy", action: "upsert", from_attribute: "gone" },
    ],
  });
  process(item);
  const made = vi.spyOn(Buffer.prototype, "toString");
  process(item);
  expect(made).not.toHaveBeenCalled();
  made.mockRestore();
});
