import { describe, expect, it } from "vitest";
import type { Actions } from "../../../collector/cli/actions.ts";
import { CommandError, EXIT } from "../../../collector/cli/exit-codes.ts";
import { createProgram, isUsageError } from "../../../collector/cli/program.ts";
import { resultSet } from "../../../collector/cli/result-set.ts";
import type { Terminal } from "../../../collector/cli/terminal.ts";

interface Ran {
  readonly calls: unknown[][];
  readonly out: string;
  readonly notes: string;
  readonly error: unknown;
}

/** Runs a command line with actions that only note how they were called. */
async function run(args: string[], env: Record<string, string> = {}, overrides: Partial<Actions> = {}): Promise<Ran> {
  const calls: unknown[][] = [];
  let out = "";
  let notes = "";
  const noted =
    <T>(name: string, answer: T) =>
    async (...given: unknown[]): Promise<T> => {
      calls.push([name, ...given]);
      return answer;
    };
  const actions: Actions = {
    serve: noted("serve", undefined),
    demo: noted("demo", undefined),
    validate: noted("validate", []),
    migrate: noted("migrate", { applied: ["0001_telemetry"], version: 1 }),
    doctor: async function* () {
      yield { name: "configuration", ok: true, detail: "it is valid" };
    },
    sql: noted("sql", resultSet(["n"], [[1]])),
    openBrowser: noted("openBrowser", true),
    explainFile: noted("explainFile", resultSet(["span"], [["chat"]])),
    connect: noted("connect", { request: async () => Response.json({ data: [], next: null }), close: async () => {} }),
    createKey: noted("createKey", { id: "id-1", key: "secret" }),
    listKeys: noted("listKeys", []),
    revokeKey: noted("revokeKey", true),
    rotateKey: noted("rotateKey", { id: "id-2", key: "new secret" }),
    listProjects: noted("listProjects", []),
    createProject: noted("createProject", { id: 2, name: "other", createdAt: "2026-11-21T08:00:00.000Z" }),
    deleteProject: noted("deleteProject", [{ table: "spans", partition: null, rows: 2 }]),
    createSqlLogin: noted("createSqlLogin", { url: "postgres://grafana:secret@127.0.0.1:4320/genspan", projectId: 2 }),
    removeSqlLogin: noted("removeSqlLogin", "dropped"),
    prune: noted("prune", [{ table: "spans", partition: null, rows: 3 }]),
    archive: noted("archive", []),
    restore: noted("restore", { files: 1, restored: 2, missing: 0 }),
    ...overrides,
  };
  const terminal: Terminal = {
    interactive: false,
    style: (_, text) => text,
    note(text) {
      notes += `${text}\n`;
    },
    async write(text) {
      out += text;
    },
  };
  const program = createProgram({ actions, terminal, env, version: "1.2.3" });
  for (const command of [program, ...program.commands.flatMap((each) => [each, ...each.commands])]) command.exitOverride();
  const error = await program.parseAsync(args, { from: "user" }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { calls, out, notes, error };
}

const COMMANDS = ["serve", "demo", "validate", "migrate", "doctor", "sql", "key create", "key list", "key revoke"];

describe("help", () => {
  it.each(COMMANDS)("of %s begins with examples of it", async (command) => {
    const { out, error } = await run([...command.split(" "), "--help"]);
    expect(isUsageError(error) && error.exitCode).toBe(0);
    expect(out.startsWith("Examples:\n")).toBe(true);
    expect(out.split("\nUsage:")[0]).toContain(`genspan ${command}`);
  });

  it.each(COMMANDS)("of %s shows no password from the environment", async (command) => {
    const secret = { DATABASE_URL: "postgres://me:hunter2@db/telemetry" };
    process.env["DATABASE_URL"] = secret.DATABASE_URL;
    const { out } = await run([...command.split(" "), "--help"], secret);
    delete process.env["DATABASE_URL"];
    expect(out).toContain("Usage: genspan");
    expect(out).not.toContain("hunter2");
  });

  it("of a silence names its length as one would type it", async () => {
    expect((await run(["alert", "mute", "--help"])).out).toContain("(default: 1d)");
  });

  it("version is printed alone", async () => {
    expect((await run(["--version"])).out).toBe("1.2.3\n");
  });
});

describe("where the database is", () => {
  const databaseUrl = async (args: string[], env: Record<string, string>): Promise<unknown> => {
    const { calls } = await run(["migrate", ...args], env);
    return (calls[0]![1] as { databaseUrl: unknown }).databaseUrl;
  };

  it("a flag beats the environment, and an empty variable is none", async () => {
    expect(await databaseUrl(["--database-url", "postgres://flag"], { DATABASE_URL: "postgres://env" })).toBe("postgres://flag");
    expect(await databaseUrl([], { DATABASE_URL: "postgres://env" })).toBe("postgres://env");
    expect(await databaseUrl([], { DATABASE_URL: "" })).toBeUndefined();
    expect(await databaseUrl([], {})).toBeUndefined();
  });

  it("folder and schema come from the environment, else their defaults", async () => {
    const empty = await run(["migrate"], { GENSPAN_DATA_DIR: "", GENSPAN_SCHEMA: "" });
    expect(empty.calls[0]![1]).toMatchObject({ dataDir: "./data", schema: "public" });
    const set = await run(["migrate"], { GENSPAN_DATA_DIR: "/srv/d", GENSPAN_SCHEMA: "tele" });
    expect(set.calls[0]![1]).toMatchObject({ dataDir: "/srv/d", schema: "tele" });
  });
});

describe("commands", () => {
  it("serve takes several configurations in order", async () => {
    const { calls } = await run(["serve", "--config", "a.yaml", "--config", "b.yaml"]);
    expect(calls[0]).toMatchObject(["serve", { configFiles: ["a.yaml", "b.yaml"], embeddedPort: 4320, logLevel: "info" }]);
  });

  it("validate takes files and single values in their order, and shows warnings", async () => {
    const seen: unknown[] = [];
    const validate: Actions["validate"] = async (options) => {
      seen.push(options);
      return ["something is unset"];
    };
    const { notes } = await run(["validate", "--set", "a.b=1", "--config", "a.yaml", "--set", "a.b=2"], {}, { validate });
    expect(seen).toEqual([{ configFiles: ["a.yaml"], configSets: ["a.b=1", "a.b=2"] }]);
    expect(notes).toBe("Warning: something is unset\nThe configuration is valid.\n");
  });

  it("demo has defaults, and takes rows, a seed and no live data", async () => {
    expect((await run(["demo"])).calls[0]).toMatchObject(["demo", { rows: 5_000, live: true }]);
    expect((await run(["demo", "--rows", "9", "--seed", "3", "--no-live"])).calls[0]).toMatchObject([
      "demo",
      { rows: 9, seed: 3, live: false },
    ]);
  });

  it("sql passes the query, the project and the time limit, and prints the rows", async () => {
    const { calls, out } = await run(["sql", "-o", "json", "--project", "2", "--timeout", "5", "select 1 as n"]);
    expect(calls[0]).toMatchObject(["sql", "select 1 as n", { projectId: 2, timeoutMillis: 5_000 }]);
    expect(out).toBe('[{"n":1}]\n');
  });

  it("sql without a query is wrong usage", async () => {
    for (const query of ["", " ", ";", " \n; "]) {
      const { error, calls } = await run(["sql", query]);
      expect([query, (error as CommandError).exitCode, calls]).toEqual([query, EXIT.usage, []]);
    }
  });

  it("key create writes the key alone to standard output", async () => {
    const { out, notes, calls } = await run(["key", "create", "--name", "app", "--scope", "ingest", "read", "ingest"]);
    expect(calls[0]).toMatchObject(["createKey", { name: "app", scopes: ["ingest", "read"], projectId: 1 }]);
    expect(out).toBe("secret\n");
    expect(notes).not.toContain("secret");
  });

  it("key create and key sql-login are about the project of the flag, else of the environment", async () => {
    const env = { GENSPAN_PROJECT: "3" };
    expect((await run(["key", "create", "--name", "app"], env)).calls[0]).toMatchObject(["createKey", { projectId: 3 }]);
    expect((await run(["key", "create", "--name", "app", "--project", "2"], env)).calls[0]).toMatchObject(["createKey", { projectId: 2 }]);
    const login = await run(["key", "sql-login", "grafana"], env);
    expect(login.calls[0]).toMatchObject(["createSqlLogin", { login: "grafana", newProjectId: 3 }]);
    // An existing login keeps its project unless one is named.
    expect(login.calls[0]![1]).not.toHaveProperty("projectId");
    expect(login.out).toBe("postgres://grafana:secret@127.0.0.1:4320/genspan\n");
    expect(login.notes).toContain("It reads project 2.");
    expect((await run(["key", "sql-login", "grafana", "--project", "2"], env)).calls[0]).toMatchObject([
      "createSqlLogin",
      { projectId: 2 },
    ]);
  });

  it("key rotate says when the new key ends, since that is not when the old one did", async () => {
    expect((await run(["key", "rotate", "id-1"])).notes).toContain("It has no end. The old one ends in 24 hours at the latest.");
    const { calls, notes } = await run(["key", "rotate", "id-1", "--expires", "2999-01-31"]);
    expect(calls[0]).toMatchObject(["rotateKey", "id-1", { expiresAt: new Date("2999-01-31") }]);
    expect(notes).toContain("It ends at 2999-01-31T00:00:00.000Z.");
  });

  it("key sql-login --drop says what became of the login", async () => {
    expect((await run(["key", "sql-login", "grafana", "--drop"])).notes).toBe("The login grafana is gone.\n");
    const closed = await run(["key", "sql-login", "grafana", "--drop"], {}, { removeSqlLogin: async () => "closed" });
    expect(closed.notes).toContain("lets nobody in any more");
  });

  it("a project that is no number is no matter of commands without a project", async () => {
    const env = { GENSPAN_PROJECT: "shop" };
    for (const args of [["serve"], ["validate"], ["migrate"], ["key", "list"]]) expect((await run(args, env)).error).toBeUndefined();
    expect(await run(["--help"], env)).toMatchObject({ out: expect.stringContaining("Usage: genspan") });
    for (const args of [
      ["sql", "select 1"],
      ["key", "create", "--name", "app"],
      ["generation", "list"],
    ])
      expect((await run(args, env)).error).toMatchObject({
        exitCode: EXIT.usage,
        message: "GENSPAN_PROJECT must be a whole number above 0.",
      });
  });

  it("doctor ends with the exit code of what failed", async () => {
    const { error, out } = await run(
      ["doctor"],
      {},
      {
        doctor: async function* () {
          yield { name: "database", ok: true, detail: "it answers" };
          yield { name: "ingest", ok: false, detail: "nobody answers", exitCode: EXIT.unreachable };
        },
      },
    );
    expect(error).toBeInstanceOf(CommandError);
    expect((error as CommandError).exitCode).toBe(5);
    expect(out).toBe("ok   database: it answers\nFAIL ingest: nobody answers\n");
  });

  it("revoking a key that does not exist is exit code 3", async () => {
    const { error } = await run(["key", "revoke", "k"], {}, { revokeKey: async () => false });
    expect((error as CommandError).exitCode).toBe(EXIT.notFound);
  });
});

describe("wrong usage", () => {
  it.each([
    ["an unknown command", ["serv"]],
    ["an unknown option", ["sql", "--outptu", "json", "select 1"]],
    ["an unknown form", ["sql", "-o", "xml", "select 1"]],
    ["a missing argument", ["sql"]],
    ["a number that is none", ["demo", "--rows", "many"]],
    ["an unknown scope", ["key", "create", "--name", "x", "--scope", "root"]],
    ["a key without a name", ["key", "create", "--name", " "]],
    ["a key with a name that is a text", ["key", "create", "--name", "x".repeat(201)]],
    ["a project without a name", ["project", "create", ""]],
    ["a noun that there is not", ["export", "models"]],
    ["a subject that there is not", ["erase", "people", "u-1"]],
  ])("%s is refused before anything runs", async (_, args) => {
    const { error, calls } = await run(args);
    expect(isUsageError(error) && error.exitCode !== 0).toBe(true);
    expect(calls).toEqual([]);
  });

  it("suggests what was probably meant", async () => {
    expect((await run(["serv"])).notes).toContain("Did you mean serve?");
    expect((await run(["sql", "--outptu", "json", "x"])).notes).toContain("Did you mean --output?");
  });

  it("an unknown log level is named with those there are", async () => {
    const { error } = await run(["serve"], { GENSPAN_LOG_LEVEL: "loud" });
    expect((error as CommandError).exitCode).toBe(EXIT.usage);
    expect((error as CommandError).message).toContain("debug, info, warn, error, silent");
  });
});

describe("the port of the embedded database", () => {
  const port = async (text: string): Promise<Ran> => run(["serve"], { GENSPAN_EMBEDDED_PORT: text });

  it("comes from the environment, else is 4320", async () => {
    expect((await port("5555")).calls[0]![1]).toMatchObject({ embeddedPort: 5555 });
    expect((await port("0")).calls[0]![1]).toMatchObject({ embeddedPort: 0 });
    expect((await port("")).calls[0]![1]).toMatchObject({ embeddedPort: 4320 });
  });

  it.each(["65536", "-1", "five", "1e3"])("is refused when it is %s", async (text) => {
    const { error, calls } = await port(text);
    expect((error as CommandError).message).toContain("GENSPAN_EMBEDDED_PORT");
    expect(calls).toEqual([]);
  });
});
