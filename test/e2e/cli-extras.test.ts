import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { shellWords } from "../support/cli-rig.ts";
import { tracesOf } from "../support/otlp-json.ts";
import { type Program, removeFolder, runCli, startProgram } from "../support/program.ts";

/** What makes commands pleasant, through the real program. */
let program: Program;
let home: string;
beforeAll(async () => {
  program = await startProgram();
  home = mkdtempSync(join(tmpdir(), "genspan-home-"));
  const chat = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "it's gpt", "gen_ai.provider.name": "openai", "user.id": "u-1" };
  const body = JSON.stringify(tracesOf({ id: "call", attributes: chat }));
  const sent = await fetch(`${program.otlpUrl}/v1/traces`, { method: "POST", headers: { "content-type": "application/json" }, body });
  expect(sent.status).toBe(200);
});
afterAll(async () => {
  await program?.end();
  removeFolder(program);
  rmSync(home, { recursive: true, force: true });
});

const data = (): Record<string, string> => ({ GENSPAN_DATA_DIR: join(program.folder, "data") });

describe("--show-sql", () => {
  it("tells the queries of an answer, which give the same rows by genspan sql", async () => {
    const words = ["generation", "list", "-f", "model=it's gpt", "--from", "2020-01-01", "-o", "json", "--show-sql"];
    const { code, stdout, stderr } = await runCli(words, data());
    expect(code).toBe(0);
    const rows = JSON.parse(stdout) as { trace_id: string }[];
    expect(rows).toHaveLength(1);
    const queries = stderr.split(/;\n/).filter((text) => text.includes("generation_logs"));
    expect(queries.length).toBeGreaterThan(0);
    const again = await runCli(["sql", "-o", "json", queries.at(-1) ?? ""], data());
    expect([again.code, again.stderr]).toEqual([0, ""]);
    expect(again.stdout).toContain(rows[0]?.trace_id);
  });

  it("is refused where a collector is asked", async () => {
    const { code, stderr } = await runCli(["generation", "list", "--show-sql", "--url", program.webUrl]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("give --database-url")]);
  });
});

describe("the browser", () => {
  /** A browser that notes what it is to show. */
  const browser = (): { readonly file: string; readonly env: Record<string, string> } => {
    const [script, file] = [join(home, "browser"), join(home, `shown-${Math.random()}`)];
    writeFileSync(script, `#!/bin/sh\nprintf %s "$1" > "$SHOWN"\n`);
    chmodSync(script, 0o755);
    return { file, env: { BROWSER: script, SHOWN: file } };
  };

  it("opens the same rows with --open, which the address then gives", async () => {
    const { file, env } = browser();
    const words = ["generation", "list", "-f", "model=it's gpt", "--from", "2020-01-01", "--open", "--url", program.webUrl];
    const { code, stdout, stderr } = await runCli(words, env);
    expect([code, stdout]).toEqual([0, ""]);
    const shown = await vi.waitFor(() => readFileSync(file, "utf8"), { timeout: 10_000 });
    expect(stderr).toContain(shown);
    expect(new URL(shown).pathname).toBe("/generations");
    const { data: rows } = (await (await fetch(shown)).json()) as { data: object[] };
    expect(rows).toMatchObject([{ model_name: "it's gpt" }]);
  });

  it("opens a page by genspan open, and never that of another host", async () => {
    const { file, env } = browser();
    expect((await runCli(["open", "/runs?status=failed", "--url", program.webUrl], env)).code).toBe(0);
    expect(await vi.waitFor(() => readFileSync(file, "utf8"), { timeout: 10_000 })).toBe(
      `${program.webUrl.replace(/\/$/, "")}/runs?status=failed`,
    );
    expect((await runCli(["open", "https://elsewhere.example/", "--url", program.webUrl], env)).code).toBe(2);
  });

  it("opens the start page with serve --open, once it can be seen", async () => {
    const { file, env } = browser();
    const other = await startProgram({ flags: ["--open"], env });
    try {
      const shown = await vi.waitFor(() => readFileSync(file, "utf8"), { timeout: 10_000 });
      expect([shown, (await fetch(shown)).status]).toEqual([other.webUrl, 200]);
    } finally {
      await other.end();
      removeFolder(other);
    }
  });

  it("is told to the person where none can be started, and ends with 5 where no collector answers", async () => {
    const { code, stderr } = await runCli(["open", "--url", program.webUrl], { BROWSER: join(home, "no-such-browser") });
    expect([code, stderr]).toEqual([0, expect.stringContaining(`Open ${program.webUrl}`)]);
    expect((await runCli(["open", "--url", "http://127.0.0.1:9"])).code).toBe(5);
  });
});

describe("profiles", () => {
  const env = (): Record<string, string> => ({ HOME: home });
  beforeAll(() => {
    mkdirSync(join(home, ".config/genspan"), { recursive: true });
    const profiles = {
      here: { url: program.webUrl, key: "gsk_0123456789" },
      prod: { url: program.webUrl },
      gone: { url: "http://127.0.0.1:9" },
      base: { data_dir: join(program.folder, "data") },
    };
    writeFileSync(join(home, ".config/genspan/config.json"), JSON.stringify({ profile: "gone", profiles }));
  });

  it("lead commands to their data, by flag, by environment, or by the file", async () => {
    const list = ["generation", "list", "--from", "2020-01-01", "-o", "json"];
    for (const ran of [
      await runCli([...list, "--profile", "here"], env()),
      await runCli(["--profile", "base", ...list], env()),
      await runCli(list, { ...env(), GENSPAN_PROFILE: "here" }),
    ])
      expect([ran.code, (JSON.parse(ran.stdout) as object[]).length]).toEqual([0, 1]);
    expect((await runCli(list, env())).code).toBe(5);
    expect((await runCli([...list, "--url", program.webUrl], env())).code).toBe(0);
  });

  it("are listed with who says so, and without the key", async () => {
    const { code, stdout } = await runCli(["config", "list", "--show-origin", "--profile", "here", "-o", "json"], env());
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      [
        { setting: "url", value: program.webUrl, origin: expect.stringMatching(/^profile here of .*config\.json$/) },
        { setting: "key", value: "…", origin: expect.stringMatching(/^profile here/) },
      ],
    ]);
    const profiles = await runCli(["config", "profiles", "-o", "csv"], env());
    expect(profiles.stdout).toMatch(/^profile,chosen,origin\r\nhere,false,.*\r\nprod,false,.*\r\ngone,true,/);
  });

  it.each(["open", "config", "config list", "config profiles"])("CL-1 every example in the help of %s works", async (command) => {
    const { stdout } = await runCli([...command.split(" "), "--help"]);
    const lines = (stdout.split("\n\n")[0] ?? "").split("\n").slice(1);
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      const ran = await runCli(shellWords(line.trim()).slice(1), { ...env(), GENSPAN_PROFILE: "here", BROWSER: "true" });
      expect([line, ran.code, ran.stderr.includes("rror")]).toEqual([line, 0, false]);
    }
  });

  it("that are not there end with 2; help works all the same", async () => {
    const { code, stderr } = await runCli(["run", "list", "--profile", "nowhere"], env());
    expect([code, stderr]).toEqual([2, expect.stringContaining("There is no profile nowhere; there are here, prod, gone, base.")]);
    expect((await runCli(["run", "list", "--help", "--profile", "nowhere"], env())).code).toBe(0);
  });
});

describe("what does not come back", () => {
  it("is not done where nobody can say yes, with --no-input or without", async () => {
    for (const more of [[], ["--no-input"]]) {
      const { code, stderr } = await runCli(["erase", "user", "u-1", ...more], data());
      expect([code, stderr]).toEqual([2, expect.stringContaining("then give --yes")]);
    }
    const { stdout } = await runCli(["generation", "list", "--from", "2020-01-01", "-o", "json"], data());
    expect(JSON.parse(stdout)).toHaveLength(1);
    expect((await runCli(["erase", "user", "u-1", "--no-input", "--yes"], data())).code).toBe(0);
  });
});
