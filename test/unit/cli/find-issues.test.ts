import { expect, it } from "vitest";
import type { Actions } from "../../../collector/cli/actions.ts";
import { EXIT } from "../../../collector/cli/exit-codes.ts";
import { createProgram } from "../../../collector/cli/program.ts";

/** Runs a command against pages of the API that are given one after the other. */
async function findIssues(pages: object[], ...args: string[]) {
  let out = "";
  const request = async (): Promise<Response> => Response.json(pages.shift());
  const actions: Partial<Actions> = { connect: async () => ({ request, close: async () => {} }) };
  const terminal = {
    interactive: false,
    style: (_: string, text: string) => text,
    note: () => {},
    async write(text: string) {
      out += text;
    },
  };
  const program = createProgram({ actions: actions as Actions, terminal, env: {}, version: "1" });
  const error = await program
    .parseAsync(["item", "find-issues", "-o", "json", ...args], { from: "user" })
    .catch((thrown: unknown) => thrown);
  return { rows: JSON.parse(out) as unknown, error };
}

const ITEM = { id: "i-1", status: "completed", quality_issues: ["too_long"], findings: [{ issue: "refusal" }], note: "kept" };

it("item find-issues goes on over pages in which nothing is wrong, and gives every field of what it finds", async () => {
  const pages = [
    { data: [], next: "a", looked_at: 200 },
    { data: [ITEM], next: null, looked_at: 17 },
  ];
  const { rows, error } = await findIssues(pages, "--fail-if-found");
  expect(rows).toEqual([{ ...ITEM, issues: "too_long, refusal" }]);
  expect(error).toMatchObject({ exitCode: EXIT.finding, message: "One item has issues." });
});

it("item find-issues ends after as many items as it was told to look at", async () => {
  const pages = [
    { data: [], next: "a", looked_at: 200 },
    { data: [], next: "b", looked_at: 100 },
  ];
  expect(await findIssues(pages, "--limit", "300", "--fail-if-found")).toMatchObject({ rows: [] });
  expect(pages).toEqual([]);
});
