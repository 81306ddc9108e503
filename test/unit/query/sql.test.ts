import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { and, name, or, sql, statement } from "../../../collector/query/sql.ts";
import { sourceFiles } from "../../support/source-files.ts";
import { identifierName, nodesOf } from "../../support/syntax.ts";

describe("SQL put together from templates", () => {
  it("has a parameter for each value, in the order of the text", () => {
    const inner = sql`model_name = ${"gpt"}`;
    expect(statement(sql`SELECT 1 WHERE ${inner} AND tokens > ${5} OR ${and([inner, sql`x`])}`)).toEqual({
      text: "SELECT 1 WHERE model_name = $1 AND tokens > $2 OR (model_name = $3) AND (x)",
      values: ["gpt", 5, "gpt"],
    });
    expect(statement(and([])).text).toBe("TRUE");
    expect(statement(or([])).text).toBe("FALSE");
  });

  it("QRY-01 never lets a value into its text", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), (values) => {
        const { text, values: sent } = statement(and(values.map((value) => sql`attributes ->> ${value}::text = ${value}`)));
        expect(text.replace(/\$\d+/g, "?")).toBe(values.map(() => "(attributes ->> ?::text = ?)").join(" AND "));
        expect(sent).toEqual(values.flatMap((value) => [value, value]));
      }),
    );
  });

  it("takes names of ours alone", () => {
    expect(statement(name("model_name")).text).toBe('"model_name"');
    for (const given of ['x"; DROP TABLE spans; --', "Model", "a b", "", "1a"]) expect(() => name(given)).toThrow();
  });
});

describe("QRY-02 the reading part of the program", () => {
  /** Where text becomes a statement: the reader takes fragments alone, `genspan sql` runs a person's own query read-only. */
  const ALLOWED = ["collector/query/reader.ts", "collector/query/run-sql.ts"];

  it("QRY-02 turns text into a statement in one place, which takes nothing but templates", () => {
    const files = sourceFiles("collector", ".ts").filter(({ path }) => /^collector\/(query|api|cli|protocols)\//.test(path));
    expect(files.length).toBeGreaterThan(50);
    const found = files.filter((file) =>
      [...nodesOf(file)].some((node) => node.type === "MemberExpression" && identifierName(node["property"]) === "unsafe"),
    );
    expect(found.map(({ path }) => path).filter((path) => !ALLOWED.includes(path))).toEqual([]);
  });
});
