import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DIALECTS } from "../../../collector/dialects/index.ts";
import { rowsFromTraces } from "../../support/encoding.ts";
import { recordingsOf } from "../../support/recordings.ts";
import { THIRD_PARTY } from "./evidence.ts";
import { FAMILIES, type Family } from "./families.ts";
import type { ClientCases, Expected, Row } from "./recorded/client-cases.ts";
import { RECORDED } from "./recorded/index.ts";

const DOCUMENT = new URL("../../../docs/dialects.md", import.meta.url);

const table = (heads: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [heads, heads.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

const isProven = ({ recorded = [], thirdParty = [] }: Family): boolean => recorded.length + thirdParty.length > 0;

function proofOf({ recorded = [], thirdParty = [] }: Family): string {
  const proofs = [...(recorded.length > 0 ? ["recorded bodies"] : []), ...(thirdParty.length > 0 ? ["other projects' test data"] : [])];
  return proofs.length > 0 ? proofs.join(", ") : "**unproven**";
}

const familyTable = (): string =>
  table(
    ["what tells", "stored as `dialect`", "a call is recognised by", "proof"],
    FAMILIES.map((family) => [family.title, family.stored.map((name) => `\`${name}\``).join(", "), family.recognisedBy, proofOf(family)]),
  );

/** Rows that a body comes to, under the dialect that they are stored with; events of logs complete rows that have one already. */
const rowsOf = (expected: Expected): readonly Row[] => {
  if (expected.signal === "traces") return expected.calls;
  return expected.signal === "logs" && "told" in expected ? expected.told.map((row) => ({ dialect: "log events", ...row })) : [];
};

/** One line for each dialect of a client: its bodies, its rows, and the columns that the cases compare. */
function provenLines({ instrumentation, bodies }: ClientCases): (string | number)[][] {
  const told = Object.values(bodies).map(rowsOf);
  const dialects = [...new Set(told.flat().map((row) => String(row["dialect"])))].toSorted();
  return dialects.map((dialect) => {
    const own = told.map((rows) => rows.filter((row) => row["dialect"] === dialect)).filter((rows) => rows.length > 0);
    const columns = new Set(own.flat().flatMap((row) => Object.keys(row)));
    columns.delete("dialect");
    return [dialect, instrumentation, own.length, own.flat().length, [...columns].toSorted().join(" ")];
  });
}

const provenTable = (): string =>
  table(["dialect", "instrumentation and version", "bodies", "rows", "columns proven"], RECORDED.flatMap(provenLines));

const thirdPartyTable = (): string =>
  table(
    ["test data", "traces", "with model calls", "calls"],
    Object.values(THIRD_PARTY).map(({ source, cases, understood, calls }) => [source, cases, understood, calls]),
  );

const unproven = (): string =>
  FAMILIES.filter((family) => !isProven(family))
    .map(({ title }) => title)
    .join(", ");

const total = RECORDED.reduce((sum, { bodies }) => sum + Object.keys(bodies).length, 0);

const generated = (): string => `## Who is understood

${familyTable()}

**Unproven**, since nothing recorded was at hand: ${unproven()}. Spans made after their sources stand in the place of recordings.

## Proven by recorded bodies

Each of ${total} bodies from real clients is read in the tests, and every column of its rows is compared with what the client was asked to do.

${provenTable()}

## Proven by other projects' test data

Read where it lies beside this repository; the counted tokens are those of the leaf calls.

${thirdPartyTable()}
`;

const BEGIN = "<!-- Written by test/unit/dialects/docs.test.ts (npm run docs:dialects) -->\n";
const END = "<!-- End of what is written -->";

function documentWith(part: string): string {
  const text = readFileSync(DOCUMENT, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  expect(begin).toBeGreaterThan(0);
  expect(end).toBeGreaterThan(begin);
  return `${text.slice(0, begin + BEGIN.length)}\n${part}\n${text.slice(end)}`;
}

describe("docs/dialects.md", () => {
  // `npm run docs:dialects` runs this with -u, which writes the file.
  it("shows what the tests prove", async () => {
    await expect(documentWith(generated())).toMatchFileSnapshot(DOCUMENT.pathname);
  });

  it("lists every dialect, every client and all test data", () => {
    const listed = (names: (family: Family) => readonly string[] | undefined) => new Set(FAMILIES.flatMap((family) => names(family) ?? []));
    expect([...listed(({ dialects }) => dialects)].toSorted()).toEqual([...new Set(DIALECTS.map(({ name }) => name))].toSorted());
    expect([...listed(({ recorded }) => recorded)].toSorted()).toEqual(RECORDED.map(({ client }) => client).toSorted());
    expect([...listed(({ thirdParty }) => thirdParty)]).toEqual(expect.arrayContaining(Object.keys(THIRD_PARTY)));
  });

  it.each(RECORDED)("names the versions that the bodies of $client name", ({ client, instrumentation }) => {
    const traces = recordingsOf(client).filter(({ path }) => /traces|TraceService/.test(path) && !path.startsWith("/v2"));
    const scopes = traces.flatMap(({ body }) => rowsFromTraces(body).request.shared.filter(({ table: name }) => name === "scopes"));
    expect(scopes.length).toBeGreaterThan(0);
    const versions = new Set(scopes.map(({ version }) => version).filter((version) => version !== null));
    for (const version of versions) expect(instrumentation).toContain(version);
  });

  it("stores each recorded call under a dialect of a family that names its client", () => {
    for (const { client, bodies } of RECORDED) {
      const families = FAMILIES.filter(({ recorded = [] }) => recorded.includes(client));
      const stored = new Set(families.flatMap(({ stored: names }) => names));
      const rows = Object.values(bodies).flatMap((each) => (each.signal === "traces" ? each.calls : []));
      for (const row of rows) expect([...stored], client).toContain(row["dialect"]);
    }
  });
});
