import { describe, expect, it } from "vitest";
import { type ApiFlags, connectionOptions } from "../../../collector/cli/api.ts";
import { CommandError } from "../../../collector/cli/exit-codes.ts";
import { FILE_KEY, FOLDER_DATABASE, FOLDER_URL } from "../../../collector/cli/settings.ts";

const FLAGS = { dataDir: "./data", schema: "public", config: [], set: [], output: "table" } satisfies ApiFlags;
type Env = Readonly<Record<string, string>>;
const options = (flags: Partial<ApiFlags>, env: Env) => connectionOptions({ ...FLAGS, ...flags }, env);

function refusal(flags: Partial<ApiFlags>, env: Env): CommandError {
  try {
    options(flags, env);
  } catch (error) {
    if (error instanceof CommandError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}

describe("the key of a command", () => {
  const stranger = { GENSPAN_URL: "https://stranger.example", [FOLDER_URL]: "./genspan.config.json" };

  it("of the environment is refused to an address of the folder's file, with what to do", () => {
    const { exitCode, message } = refusal({}, { ...stranger, GENSPAN_KEY: "gsk_env" });
    expect(exitCode).toBe(2);
    expect(message).toMatch(/^GENSPAN_KEY is not sent to the address of \.\/genspan\.config\.json.*give --url or GENSPAN_URL/);
    expect(message).not.toContain("gsk_env");
  });

  it("for an address of the folder's file is that of the same file, or of the command line", () => {
    expect(options({}, { ...stranger, GENSPAN_KEY: "gsk_env", [FILE_KEY]: "gsk_file" }).key).toBe("gsk_file");
    expect(options({ key: "gsk_flag" }, { ...stranger, GENSPAN_KEY: "gsk_env" }).key).toBe("gsk_flag");
    expect(options({}, stranger).key).toBeUndefined();
  });

  it("of the environment goes where the environment or the command line says", () => {
    expect(options({ url: "https://mine.example" }, { ...stranger, GENSPAN_KEY: "gsk_env" }).key).toBe("gsk_env");
    expect(options({}, { GENSPAN_URL: "https://mine.example", GENSPAN_KEY: "gsk_env" }).key).toBe("gsk_env");
  });

  it("of a file does not go to an address of the command line", () => {
    expect(options({ url: "https://mine.example" }, { [FILE_KEY]: "gsk_file" }).key).toBeUndefined();
  });

  it("has no characters that no key has, and is not told", () => {
    const url = "https://mine.example";
    for (const key of ["", " ", "gsk one\ntwo", "gsk_ключ", "gsk_\u0000"]) {
      const { exitCode, message } = refusal({ url, key }, {});
      expect([key, exitCode, message]).toEqual([key, 2, expect.stringMatching(/^The key is empty or has characters/)]);
      expect(message).not.toContain("gsk");
    }
    // As files of Windows end.
    expect(options({ url }, { GENSPAN_KEY: "gsk_env\r\n" }).key).toBe("gsk_env");
  });

  it("does not stand in the address", () => {
    for (const url of ["http://me:gsk_secret@mine.example", "http://gsk_secret@mine.example"]) {
      const { exitCode, message } = refusal({ url }, {});
      expect([exitCode, message]).toEqual([2, expect.stringMatching(/--key or GENSPAN_KEY/)]);
      expect(message).not.toContain("gsk_secret");
    }
    expect(refusal({ url: "http://" }, {}).message).toMatch(/--url must be a web address/);
    expect(refusal({ url: "http://[x" }, {}).message).toMatch(/--url must be a web address/);
  });

  it("of the environment keeps no command from a database", () => {
    expect(options({ databaseUrl: "postgres://h/db" }, { ...stranger, GENSPAN_KEY: "gsk_env" }).url).toBeUndefined();
  });
});

describe("the password of a database", () => {
  const stranger = { DATABASE_URL: "postgres://me@stranger.example/db", [FOLDER_DATABASE]: "./genspan.config.json", PGPASSWORD: "hunter2" };

  it("of the environment is refused to a database of the folder's file, with what to do", () => {
    const { exitCode, message } = refusal({}, stranger);
    expect(exitCode).toBe(2);
    expect(message).toMatch(/^PGPASSWORD is not sent to the database of \.\/genspan\.config\.json.*give --database-url or DATABASE_URL/);
    expect(message).not.toContain("hunter2");
  });

  it("of the environment keeps no command from what the command line names, nor from an address with a password of its own", () => {
    expect(options({ databaseUrl: "postgres://mine.example/db" }, stranger).databaseUrl).toBe("postgres://mine.example/db");
    expect(options({ url: "https://mine.example" }, stranger).url).toBe("https://mine.example");
    const own = "postgres://me:theirs@stranger.example/db";
    expect(options({}, { ...stranger, DATABASE_URL: own }).databaseUrl).toBe(own);
    expect(options({}, { ...stranger, PGPASSWORD: "" }).databaseUrl).toBe(stranger.DATABASE_URL);
  });
});

describe("the project of a command", () => {
  it("is refused where a collector is asked, whoever names it", () => {
    const url = "http://127.0.0.1:4319";
    for (const { exitCode, message } of [
      refusal({ url, project: 1 }, {}),
      refusal({ project: 3 }, { GENSPAN_URL: url }),
      refusal({ url }, { GENSPAN_PROJECT: "3" }),
    ]) {
      expect(exitCode).toBe(2);
      expect(message).toMatch(/the key decides it: leave out --project/);
    }
  });

  it("of a database is the flag's, then the environment's, then the first", () => {
    expect(options({ project: 3 }, { GENSPAN_PROJECT: "2" }).projectId).toBe(3);
    expect(options({}, { GENSPAN_PROJECT: "2" }).projectId).toBe(2);
    expect(options({ databaseUrl: "postgres://h/db" }, { GENSPAN_URL: "http://h", GENSPAN_PROJECT: "2" }).projectId).toBe(2);
    expect(options({}, {}).projectId).toBe(1);
    expect(refusal({}, { GENSPAN_PROJECT: "x" }).message).toMatch(/whole number/);
  });
});
