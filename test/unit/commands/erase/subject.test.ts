import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { namingOf, subjectFault, subjectHash } from "../../../../collector/commands/erase/subject.ts";
import { repositoryRoot } from "../../../support/source-files.ts";

const FOLDER = join(repositoryRoot, "collector/dialects");

/** Every attribute by which a dialect tells a user or a conversation. */
async function attributesOf(concept: "userId" | "conversationId"): Promise<string[]> {
  const found = new Set<string>();
  for (const file of readdirSync(FOLDER)) {
    const module = (await import(pathToFileURL(join(FOLDER, file)).href)) as Record<string, unknown>;
    for (const value of Object.values(module)) {
      const sources = (value as { sources?: Record<string, readonly string[]> } | null)?.sources;
      for (const name of sources?.[concept] ?? []) found.add(name);
    }
  }
  return [...found];
}

describe("attributes that name somebody", () => {
  it.each([
    ["user", "userId", 6],
    ["conversation", "conversationId", 6],
  ] as const)("include every one by which a dialect tells a %s", async (kind, concept, atLeast) => {
    const names = await attributesOf(concept);
    expect(names.length).toBeGreaterThan(atLeast);
    const pattern = new RegExp(namingOf({ kind, value: "x" })?.attributes ?? "^$", "i");
    expect(names.filter((name) => !pattern.test(name))).toEqual([]);
  });

  it("leave out those that only sound alike", () => {
    const pattern = new RegExp(namingOf({ kind: "user", value: "x" })?.attributes ?? "", "i");
    expect(
      ["user_agent.original", "gen_ai.request.model", "user.message.count", "gen_ai.user.message"].filter((name) => pattern.test(name)),
    ).toEqual([]);
  });
});

describe("a subject", () => {
  it.each([
    ["user", "u-1", true],
    ["entity", "definitie:456", true],
    ["entity", "definitie:", false],
    ["trace", "4bf92f3577b34da6a3ce929d0e0e4736", true],
    ["trace", "4BF92F3577B34DA6A3CE929D0E0E4736", false],
    ["generation", "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", true],
    ["user", "a\0b", false],
  ] as const)("%s %j is one: %s", (kind, value, sound) => {
    expect(subjectFault({ kind, value }) === undefined).toBe(sound);
  });

  it("is recognised by a hash that differs by its kind", () => {
    expect(subjectHash({ kind: "user", value: "a" })).not.toEqual(subjectHash({ kind: "conversation", value: "a" }));
    expect(subjectHash({ kind: "user", value: "a" })).toHaveLength(32);
  });
});
