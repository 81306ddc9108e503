import { describe, expect, it } from "vitest";
import type { Actions } from "../../../collector/cli/actions.ts";
import { explain } from "../../../collector/cli/explain.ts";
import { createProgram } from "../../../collector/cli/program.ts";
import type { Terminal } from "../../../collector/cli/terminal.ts";

/** Runs a command line before a person who gives `answer`; nobody is there where it is undefined. */
async function run(words: readonly string[], answer: string | undefined) {
  const questions: string[] = [];
  const done: string[] = [];
  let notes = "";
  let mayAsk = true;
  const terminal: Terminal = {
    interactive: true,
    style: (_, text) => text,
    tone({ input }) {
      mayAsk = input !== false;
    },
    note(text) {
      notes += text;
    },
    write: async () => {},
    async ask(question) {
      if (answer === undefined || !mayAsk) return undefined;
      questions.push(await question());
      return answer;
    },
  };
  const answerOf = (path: string, init: RequestInit = {}): object => {
    const dry = path.endsWith("/erase") && (JSON.parse(String(init.body)) as { dry_run: boolean }).dry_run;
    if (init.method === "DELETE" || (path.endsWith("/erase") && !dry)) done.push(path);
    return path.startsWith("/api/traceImage") ? { total: 7, traces: [], deleted: 7 } : { id: null, traces: 2, spans: 3 };
  };
  const actions = {
    connect: async () => ({ request: async (path, init) => Response.json(answerOf(path, init)), close: async () => {} }),
    prune: async ({ dryRun }) => {
      if (!dryRun) done.push("prune");
      return [{ table: "spans", partition: null, rows: 11 }];
    },
    deleteProject: async () => {
      done.push("project");
      return [];
    },
  } satisfies Partial<Actions>;
  const program = createProgram({ actions: actions as Partial<Actions> as Actions, terminal, env: {}, version: "0" });
  const code = await program.parseAsync([...words], { from: "user" }).then(
    () => 0,
    (error: unknown) => explain(error, terminal),
  );
  return { code, questions, done, notes };
}

describe.each([
  [["erase", "user", "u-1"], /2 whole traces and 3 spans/],
  [["prune", "--older-than", "90d"], /removes 11 rows/],
  [["image", "delete", "--all"], /deletes 7 image traces/],
  [["project", "delete", "2"], /deletes project 2/],
])("genspan %j", (words, question) => {
  it("is done when a person says yes to what it takes", async () => {
    const ran = await run(words, "yes\n");
    expect([ran.code, ran.done.length]).toEqual([0, 1]);
    expect(ran.questions).toEqual([expect.stringMatching(question)]);
  });

  it("is not done for any other answer", async () => {
    expect(await run(words, "y")).toMatchObject({ code: 1, done: [], notes: expect.stringContaining("Nothing was done") });
  });

  it("asks nothing where nobody is, nor with --no-input, nor with --yes", async () => {
    for (const [more, answer] of [
      [[], undefined],
      [["--no-input"], "yes"],
    ] as const)
      expect(await run([...words, ...more], answer)).toMatchObject({ code: 2, questions: [], done: [] });
    expect(await run([...words, "--yes"], "no")).toMatchObject({ code: 0, questions: [], done: [expect.anything()] });
  });
});
