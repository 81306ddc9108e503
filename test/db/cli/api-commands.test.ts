import type { Command } from "commander";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createProgram } from "../../../collector/cli/program.ts";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { type CommandRun, examplesOf, runOn, runOnDatabase, shellWords } from "../../support/cli-rig.ts";
import { describeEachServer } from "../../support/database.ts";
import { type GenerationRow, generationId, storeGenerations } from "../../support/generation-rows.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const NOUNS = ["generation", "review", "trace", "prompt", "usage", "completion"];
const HOSTILE = '=HYPERLINK("http://x")\u001b[31m,"quoted"\nsecond line 日本 🧪';

/** Every command below these nouns, as one types it. */
function commandsOf(noun: Command, path = noun.name()): string[] {
  return noun.commands.length === 0 ? [path] : noun.commands.flatMap((each) => commandsOf(each, `${path} ${each.name()}`));
}
const program = createProgram({ actions: {} as never, terminal: {} as never, env: {}, version: "0" });
const COMMANDS = program.commands.filter((each) => NOUNS.includes(each.name())).flatMap((each) => commandsOf(each));

describeEachServer("commands that ask the API", (server) => {
  let rig: ApiRig;
  const run = (args: readonly string[]): Promise<CommandRun> => runOn(rig, args);
  const row = (n: number, more: GenerationRow = {}): GenerationRow => ({
    start_time: new Date(Date.now() - n * 60_000),
    model_name: "gpt-5",
    provider_name: "openai",
    tokens_prompt: 10,
    tokens_total: 20,
    duration_ms: 100 * n,
    prompt_template_name: "quiz",
    prompt_template_version: n % 2 === 0 ? "2.0" : "2.1",
    prompt_full_text: `Zeile eins\nZeile ${n % 2}`,
    entity_type: "lesson",
    entity_id: n < 5 ? "42" : "43",
    ...more,
  });

  beforeAll(async () => {
    rig = await createApiRig(server);
    const rows = Array.from({ length: 10 }, (_, i) => row(i + 1));
    await storeGenerations(rig.owner, [
      ...rows,
      row(11, {
        response_full_text: HOSTILE,
        error_message: HOSTILE,
        reasoning_content: "Schritt 1\u001b[2J",
        quality_status: "pending_review",
      }),
    ]);
    const body = {
      resourceSpans: [
        {
          resource: { attributes: [] },
          scopeSpans: [
            {
              spans: [
                {
                  traceId: TRACE,
                  spanId: "00f067aa0ba902b7",
                  name: "GET /",
                  kind: 2,
                  startTimeUnixNano: `${Date.now()}000000`,
                  endTimeUnixNano: `${Date.now() + 3}000000`,
                },
              ],
            },
          ],
        },
      ],
    };
    expect(await rig.services.ingest(1, "traces", Buffer.from(JSON.stringify(body)))).toMatchObject({ kind: "accepted" });
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());

  it("are all seen here", () => {
    expect(COMMANDS).toEqual(
      expect.arrayContaining(["generation inspect", "review undo", "trace show", "prompt compare", "usage", "completion"]),
    );
  });

  it.each(COMMANDS)("CL-1 genspan %s has examples in its help, and each of them works", async (command) => {
    const [noun = "", ...verb] = command.split(" ");
    const examples = (await examplesOf(rig, noun, verb)).slice(verb.length === 0 ? 0 : (await examplesOf(rig, noun)).length);
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      const words = shellWords(example);
      expect(
        words
          .slice(0, 1 + command.split(" ").length)
          .join(" ")
          .replace("trace-stats", "stats"),
      ).toBe(`genspan ${command}`);
      const result = await run(words.slice(1));
      expect([example, result.notes, result.code]).toEqual([example, expect.anything(), example.includes("--fail-if-found") ? 10 : 0]);
    }
  });

  it("CL-2 lists in every form can be parsed, with hostile text in them", async () => {
    const list = async (form: string): Promise<string> =>
      (await run(["generation", "list", "-f", "quality=pending_review", "-o", form])).out;
    const rows = JSON.parse(await list("json")) as { response_start: string; id: string }[];
    expect(rows.map(({ response_start }) => response_start)).toContain(HOSTILE);
    expect(
      (await list("jsonl"))
        .trimEnd()
        .split("\n")
        .map((line) => (JSON.parse(line) as { id: string }).id),
    ).toEqual(rows.map(({ id }) => id));
    expect(await list("csv")).toContain('"\'=HYPERLINK(""http://x"")\u001b[31m,""quoted""\nsecond line 日本 🧪"');
    const table = await list("table");
    expect(table.split("\n").length).toBe(rows.length + 2);
    expect(table).not.toContain("\u001b");
    expect((await list("md")).split("\n")[1]).toMatch(/^\|( --- \|)+$/);
  });

  it("CL-3 --all pages through everything, --limit is kept, and columns can be chosen", async () => {
    const lines = async (...args: string[]): Promise<string[]> =>
      (await run(["generation", "list", "-o", "jsonl", ...args])).out.trimEnd().split("\n");
    expect((await lines("--all")).length).toBe(11);
    expect((await lines("--limit", "3")).length).toBe(3);
    expect((await run(["generation", "list", "--limit", "1", "--columns", "id, model_name", "-o", "csv"])).out).toMatch(
      /^id,model_name\r\n[0-9a-f-]{49},gpt-5\r\n$/,
    );
    expect(await run(["generation", "list", "--columns", "modle"])).toMatchObject({
      code: 2,
      notes: expect.stringContaining("There is no column modle"),
    });
  });

  it("asks a database as it asks a collector", async () => {
    const args = ["generation", "list", "-o", "json", "--sort", "duration"];
    expect(await runOnDatabase(rig.database.url, args)).toEqual(await run(args));
  });

  it("says that there is no such project, and stores nothing in it", async () => {
    for (const args of [
      ["generation", "list"],
      ["import", "package.json"],
    ])
      expect(await runOnDatabase(rig.database.url, [...args, "--project", "99"])).toMatchObject({
        code: 3,
        out: "",
        notes: expect.stringContaining("There is no project 99"),
      });
  });

  it("takes the filter of a page's address", async () => {
    const { out } = await run([
      "generation",
      "list",
      "-o",
      "jsonl",
      "--url-filter",
      "http://127.0.0.1:4319/generations?version=2.0&min_ms=800&limit=1",
    ]);
    expect(
      out
        .trimEnd()
        .split("\n")
        .map((line) => (JSON.parse(line) as { duration_ms: number }).duration_ms),
    ).toEqual([800, 1000]);
  });

  it("shows texts of a call when asked, and says what is not known", async () => {
    const { out } = await run(["generation", "inspect", generationId(11), "--show-reasoning", "--show-response"]);
    expect(out).toContain(`\nreasoning\nSchritt 1\u001b[2J\n`);
    expect(out).toContain(`\nresponse\n${HOSTILE}\n`);
    const silent = await run(["generation", "inspect", generationId(5), "--show-reasoning"]);
    expect(silent.notes).toContain("Nothing is known of the reasoning of this call.");
  });

  it("a list of which there is more says so, unless it was asked for so many", async () => {
    const rows = Array.from({ length: 51 }, (_, i) =>
      row(i + 100, { model_name: "many", start_time: new Date(Date.now() - (i + 100) * 60_000) }),
    );
    await storeGenerations(rig.owner, rows);
    const list = ["generation", "list", "-f", "model=many", "-o", "jsonl"];
    const short = await run(list);
    expect([short.out.trimEnd().split("\n").length, short.notes]).toEqual([
      50,
      expect.stringContaining("There are more than 50 rows: give --all"),
    ]);
    for (const more of [["--all"], ["--limit", "51"], ["--limit", "3"]]) expect((await run([...list, ...more])).notes).toBe("");
    await rig.owner`DELETE FROM generation_logs WHERE model_name = 'many'`;
  });

  it("CL-10 every row of inspect is also in its JSON", async () => {
    const table = (await run(["generation", "inspect", generationId(11)])).out.trimEnd().split("\n").slice(1);
    const json = JSON.parse((await run(["generation", "inspect", generationId(11), "-o", "json"])).out) as object;
    expect(table.map((line) => line.split(" ")[0]!).filter((name) => !Object.hasOwn(json, name))).toEqual([]);
  });

  describe("exit codes", () => {
    it.each([
      [2, ["generation", "list", "-f", "modle=x"], "modle"],
      [2, ["generation", "list", "-f", "model"], "key=value"],
      [2, ["generation", "inspect", "nonsense"], "type:id"],
      [3, ["generation", "inspect", generationId(999)], "no such model call"],
      [3, ["generation", "inspect", "lesson:nothing"], "No model call is linked"],
      [3, ["trace", "show", "f".repeat(32)], "no such trace"],
      [2, ["generation", "reprice", "--from", "-1d"], "--dry-run"],
      [2, ["review", "reject", generationId(1)], "say what is wrong"],
      [10, ["generation", "find-issues", "--fail-if-found"], "pending_review"],
    ] as const)("%i: genspan %s", async (code, args, sentence) => {
      const result = await run(args);
      expect([result.code, result.notes]).toEqual([code, expect.stringContaining(sentence)]);
    });

    it("CL-7 5 when no collector answers: one line with the address and what to do", async () => {
      const result = await run(["generation", "list", "--url", "http://127.0.0.1:9"]);
      expect(result.code).toBe(5);
      expect(result.notes).toBe('No collector answers at http://127.0.0.1:9: start it with "genspan serve", or see "genspan doctor".\n');
    });
  });
});
