import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isContentName } from "../../../collector/dialects/content-names.ts";
import { transcodeJson } from "../../../collector/otlp/decode-json.ts";
import { rowsFromTraces } from "../../support/encoding.ts";
import { type SpanSpec, tracesOf } from "../../support/otlp-json.ts";
import { openedTexts } from "../../support/told.ts";
import { CONVENTIONS } from "./mapping/conventions.ts";
import { FRAMEWORKS } from "./mapping/frameworks.ts";
import { INSTRUMENTATIONS } from "./mapping/instrumentations.ts";
import type { Attributes, Mapping, Row } from "./mapping/mapping.ts";
import { PLATFORMS } from "./mapping/platforms.ts";

const MAPPINGS: readonly Mapping[] = [...CONVENTIONS, ...INSTRUMENTATIONS, ...PLATFORMS, ...FRAMEWORKS];

/** The list of attributes by dialect that this project was conceived from, on machines that have it. */
const LIST = new URL("../../../../shared/reference/dialect-mapping.csv", import.meta.url);

function rowsOf(span: Omit<SpanSpec, "id">): { calls: Row[]; spans: Row[] } {
  const body = tracesOf({ ...span, id: "s0" });
  const { spans, generations } = rowsFromTraces(transcodeJson(Buffer.from(JSON.stringify(body)), "traces"));
  return { calls: generations.map(openedTexts), spans };
}

describe.each(MAPPINGS)("$dialect", ({ call, probes, around = [], kept = {} }) => {
  const base = call.attributes ?? {};

  it.each(probes.map(({ says, ...more }) => [says, more] as const))("says %o by %o", (says, { attributes, ...more }) => {
    const { calls } = rowsOf({ ...call, ...more, attributes: { ...base, ...attributes } });
    expect(calls).toMatchObject([says]);
    expect(rowsOf(call).calls[0] ?? {}).not.toMatchObject(says);
  });

  it.each(around.map((attributes) => [attributes]))("%o is counted nowhere and stored", (attributes) => {
    const { calls, spans } = rowsOf({ ...call, name: "around", attributes });
    expect(calls).toEqual([]);
    expect(spans[0]?.["attributes"]).toEqual(attributes);
  });

  it.each(Object.entries(kept))("%s: it stays on the span, and the call is a call", (_, names) => {
    const added: Attributes = Object.fromEntries(names.map((name) => [name, "x"]));
    const { calls, spans } = rowsOf({ ...call, attributes: { ...base, ...added } });
    expect(calls).toHaveLength(1);
    expect(spans[0]?.["attributes"]).toMatchObject(added);
  });
});

/** Words that only content of the probes holds. */
const SAID = /\b(Hi|Ho|Hm|Be terse|fox|Once|upon|Utrecht|12C|iVBORw0KGgo|revised)\b/;

describe("an attribute that holds what was said", () => {
  const attributesOf = ({ probes }: Mapping): (readonly [name: string, value: unknown, event: string])[] =>
    probes.flatMap(({ attributes, events = [] }) => [
      ...Object.entries(attributes).map(([name, value]) => [name, value, ""] as const),
      ...events.flatMap((event) => Object.entries(event.attributes ?? {}).map(([name, value]) => [name, value, event.name] as const)),
    ]);

  it.each(MAPPINGS)("is known as content: $dialect", (mapping) => {
    const holding = attributesOf(mapping).filter(([, value]) => SAID.test(JSON.stringify(value)));
    expect(holding.filter(([name, , event]) => !isContentName(name, event))).toEqual([]);
  });
});

/** Rows of a CSV file with quoted fields. */
function readCsv(file: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of file.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain ?? "");
    if (end !== ",") rows.push([]);
  }
  return rows.filter((row) => row.length > 1);
}

/** `a.{b,c}` as `a.b / a.c`. */
function withoutBraces(pattern: string): string {
  const found = /([\w.:<>-]*)\{([^{}]*)\}([\w.:<>-]*)/.exec(pattern);
  if (found === null) return pattern;
  const [whole, before = "", inner = "", after = ""] = found;
  const each = inner.split(/[,|]/).map((one) => `${before}${one.trim()}${after}`);
  return withoutBraces(pattern.replace(whole, each.join(" / ")));
}

/** Names of attributes in a pattern: words with a dot, colon or underscore within, and single words that stand alone. */
function namesIn(pattern: string): string[] {
  const words = withoutBraces(pattern)
    .split(/[^\w.:<>*-]+/)
    .map((word) => word.replace(/^\.\.\.|\.\.\.$|:$/g, ""));
  const names = words.filter((word) => /\w[.:_]\w|^\.\w/.test(word));
  return words.length === 1 ? words : names;
}

/** Everything that a mapping speaks of, numbers of lists taken out. */
function spokenOf({ call, probes, around = [], kept = {}, elsewhere = {} }: Mapping): string {
  const spoken = [call, probes, around, kept, Object.values(elsewhere)];
  return JSON.stringify(spoken).replaceAll(/\.\d+\./g, ".<i>.");
}

const speaksOf = (spoken: string, name: string): boolean => {
  const parts = name.replaceAll(/<[jk]>(?=\.)/g, "<i>").split(/<[jkh]>|<name>|<op>|<provider|\*/);
  return new RegExp(parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")).join('[^"]*')).test(spoken);
};

describe("the list of attributes by dialect", () => {
  it("is covered line by line", ({ skip }) => {
    if (!existsSync(LIST)) skip("the list is not beside this repository");
    const [, ...lines] = readCsv(readFileSync(LIST, "utf8"));
    const missing: string[] = [];
    let names = 0;
    for (const [line, [dialect = "", pattern = ""]] of lines.entries()) {
      const mapping = MAPPINGS.find((each) => dialect.startsWith(each.dialect));
      const spoken = mapping === undefined ? "" : spokenOf(mapping);
      const listed = namesIn(pattern);
      names += listed.length;
      missing.push(...listed.filter((name) => !speaksOf(spoken, name)).map((name) => `${line + 2} ${dialect}: ${name}`));
    }
    expect(missing).toEqual([]);
    expect(names).toBeGreaterThan(300);
    console.log(`list of attributes: ${lines.length} lines, ${names} names, ${MAPPINGS.flatMap(({ probes }) => probes).length} probes`);
  });

  it("finds what a mapping does not speak of", () => {
    expect(namesIn("llm.a.<i>.{b,c} / .d (or e) + metadata_x")).toEqual(["llm.a.<i>.b", "llm.a.<i>.c", ".d", "metadata_x"]);
    expect(speaksOf('["llm.a.<i>.b"]', "llm.a.<i>.b")).toBe(true);
    expect(speaksOf('["llm.a.<i>.b"]', "llm.a.<i>.c")).toBe(false);
    expect(readCsv('a,"b,""c"""\nd,e\n')).toEqual([
      ["a", 'b,"c"'],
      ["d", "e"],
    ]);
  });
});
