import { describe, expect, it } from "vitest";
import { filterWithout, holdsName, patternHoldsName } from "../../../../collector/commands/erase/rule-names.ts";

const alice = { kind: "user", value: "alice@example.com" } as const;
const enc = encodeURIComponent(alice.value);

describe("a filter without a subject", () => {
  it.each([
    ["speaks of the subject alone", `user=${enc}`],
    ["speaks of some of the subject's calls", `model=m&user=${enc}`],
    ["asks by an attribute that names users", `attr.enduser.id=${enc}`],
    ["asks by a user and leaves the same one out", `user=${enc}&-user=${enc}`],
    ["looks for the subject's name in texts", `q=${enc}`],
  ])("is none where it %s", (_, filter) => {
    expect(filterWithout(filter, alice)).toBeUndefined();
  });

  it.each([
    ["keeps the others that it asks for", `model=m&user=${enc}&user=bob`, "model=m&user=bob"],
    ["needs not leave out who is gone", `-user=${enc}&model=m`, "model=m"],
    ["goes on leaving out others", `-user=${enc}&-user=bob`, "-user=bob"],
    ["stays as it was written where it names somebody else", "user=a%20b&q=x%20y", "user=a%20b&q=x%20y"],
    ["stays where another key has that value", `run=${enc}`, `run=${enc}`],
    ["stays where another attribute has that value", `attr.topic=${enc}`, `attr.topic=${enc}`],
  ])("%s", (_, filter, expected) => {
    expect(filterWithout(filter, alice)).toBe(expected);
  });

  it("knows a record by its type and id, and where images are asked for by the id alone", () => {
    const subject = { kind: "entity", value: "lesson:l-1" } as const;
    for (const filter of ["entity=lesson:l-1", "lesson=l-1", "attr.genspan.entity.id=l-1"])
      expect(filterWithout(filter, subject)).toBeUndefined();
    expect(filterWithout("entity=lesson:&entity=lesson:l-1", subject)).toBe("entity=lesson%3A");
    expect(filterWithout("user=l-1", subject)).toBe("user=l-1");
  });
});

describe("a text", () => {
  it.each([
    ["failures of alice@example.com", true],
    ["alice@example.com", true],
    ["of_alice@example.com", true],
    ["malice@example.com", false],
    ["alice@example.community", false],
    ["malice@example.com, alice@example.com", true],
  ])("%j holds a name as a word: %s", (text, held) => {
    expect(holdsName(text, alice)).toBe(held);
  });

  it("holds no short name by chance", () => {
    expect(holdsName("run 42 failed", { kind: "user", value: "42" })).toBe(false);
    expect(holdsName("42", { kind: "user", value: "42" })).toBe(true);
  });
});

describe("a pattern", () => {
  it.each([
    ["alice@example\\.com", true],
    ["\\balice@example\\.com\\b", true],
    ["(?i)hello (alice@example.com|bob)", true],
    ["alice", false],
  ])("%j looks for a name: %s", (pattern, held) => {
    expect(patternHoldsName(pattern, alice)).toBe(held);
  });

  it("is nothing but a short name, whatever stands around it", () => {
    const short = { kind: "user", value: "u-1" } as const;
    expect(["^u-1$", "(?i)(u-1)", "\\bu\\-1\\b"].map((pattern) => patternHoldsName(pattern, short))).toEqual([true, true, true]);
    expect(patternHoldsName("menu-1 of", short)).toBe(false);
  });
});
