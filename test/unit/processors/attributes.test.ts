import { expect, it } from "vitest";
import { Arena, AttributeList } from "../../../collector/otlp/attribute-list.ts";
import { type AttributeRule, createAttributesProcessor } from "../../../collector/processors/attributes.ts";

function attributesAfter(rules: readonly AttributeRule[]): Record<string, unknown> {
  const list = new AttributeList(new Arena());
  list.setText(list.append("team"), "search");
  list.setText(list.append("secret"), "s3cr3t");
  createAttributesProcessor(rules)({ attributes: list });
  const values: Record<string, unknown> = {};
  for (let i = 0; i < list.count; i++)
    if (list.findName(list.name(i)) === i) values[list.name(i)] = list.text(i) ?? list.number(i) ?? list.a[i] === 1;
  return values;
}

it.each<[string, AttributeRule, Record<string, unknown>]>([
  ["insert adds a missing key", { key: "env", action: "insert", value: "test" }, { team: "search", secret: "s3cr3t", env: "test" }],
  ["insert leaves a present key", { key: "team", action: "insert", value: "x" }, { team: "search", secret: "s3cr3t" }],
  ["update changes a present key", { key: "team", action: "update", value: "ads" }, { team: "ads", secret: "s3cr3t" }],
  ["update adds nothing", { key: "env", action: "update", value: "x" }, { team: "search", secret: "s3cr3t" }],
  ["upsert does both", { key: "n", action: "upsert", value: 7 }, { team: "search", secret: "s3cr3t", n: 7 }],
  ["a fraction stays one", { key: "n", action: "upsert", value: 0.5 }, { team: "search", secret: "s3cr3t", n: 0.5 }],
  ["a boolean stays one", { key: "ok", action: "upsert", value: true }, { team: "search", secret: "s3cr3t", ok: true }],
  ["delete removes", { key: "secret", action: "delete" }, { team: "search" }],
  [
    "from_attribute copies",
    { key: "group", action: "insert", from_attribute: "team" },
    { team: "search", secret: "s3cr3t", group: "search" },
  ],
  [
    "from_attribute of a missing key does nothing",
    { key: "group", action: "insert", from_attribute: "nope" },
    { team: "search", secret: "s3cr3t" },
  ],
])("%s", (_, rule, expected) => {
  expect(attributesAfter([rule])).toEqual(expected);
});

it("rules apply in order", () => {
  expect(
    attributesAfter([
      { key: "copy", action: "insert", from_attribute: "secret" },
      { key: "secret", action: "delete" },
      { key: "copy", action: "update", value: "gone" },
    ]),
  ).toEqual({ team: "search", copy: "gone" });
});
