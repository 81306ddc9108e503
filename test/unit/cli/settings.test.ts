import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FILE_KEY, FOLDER_DATABASE, FOLDER_URL, profileFlag, readSettings } from "../../../collector/cli/settings.ts";

describe("settings of commands", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "genspan-settings-"));
    mkdirSync(join(folder, "home/.config/genspan"), { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (file: string, content: unknown): void =>
    writeFileSync(join(folder, file), typeof content === "string" ? content : JSON.stringify(content));
  const own = (content: unknown): void => write("home/.config/genspan/config.json", content);
  const here = (content: unknown): void => write("genspan.config.json", content);
  const read = (env: Record<string, string> = {}, flag?: string) => readSettings({ HOME: join(folder, "home"), ...env }, flag, folder);
  const holds = (settings: ReturnType<typeof read>): Record<string, string> =>
    Object.fromEntries(settings.effective.map(({ name, value }) => [name, value]));

  it("come from the environment, then the folder's file, then the person's", () => {
    own({ schema: "own", data_dir: "/own", url: "http://own" });
    here({ schema: "here", project: 3 });
    const settings = read({ GENSPAN_SCHEMA: "env" });
    expect(holds(settings)).toEqual({ schema: "env", data_dir: "/own", project: "3", url: "http://own" });
    expect(settings.env).toMatchObject({
      GENSPAN_SCHEMA: "env",
      GENSPAN_DATA_DIR: "/own",
      GENSPAN_PROJECT: "3",
      GENSPAN_URL: "http://own",
    });
    const origins = Object.fromEntries(settings.effective.map(({ name, origin }) => [name, origin]));
    expect(origins).toMatchObject({ schema: "GENSPAN_SCHEMA", project: "./genspan.config.json" });
    expect(origins["url"]).toMatch(/\.config\/genspan\/config\.json$/);
  });

  it("are those of XDG_CONFIG_HOME where there is one", () => {
    own({ schema: "own" });
    mkdirSync(join(folder, "xdg/genspan"), { recursive: true });
    write("xdg/genspan/config.json", { schema: "xdg" });
    expect(holds(read({ XDG_CONFIG_HOME: join(folder, "xdg") }))).toEqual({ schema: "xdg" });
  });

  const PROFILES = {
    profiles: { prod: { url: "https://prod", key: "gsk_prod" }, local: { database_url: "postgres://local/db" } },
    profile: "local",
  };

  it("of a profile hold where the command line, the environment or a file names it", () => {
    own(PROFILES);
    expect(holds(read())).toEqual({ database_url: "postgres://local/db" });
    expect(holds(read({ GENSPAN_PROFILE: "prod" }))).toEqual({ url: "https://prod", key: "gsk_prod" });
    expect(holds(read({}, "prod"))).toEqual({ url: "https://prod", key: "gsk_prod" });
    expect(read({}, "prod").profiles.map(({ name, chosen }) => [name, chosen])).toEqual([
      ["prod", true],
      ["local", false],
    ]);
  });

  it("of a profile on the command line beat the environment, those of any other do not", () => {
    own(PROFILES);
    const env = { GENSPAN_URL: "http://env", GENSPAN_KEY: "gsk_env", DATABASE_URL: "postgres://env/db" };
    expect(holds(read(env, "prod"))).toEqual({ url: "https://prod", key: "gsk_prod" });
    expect(read(env, "prod").env).toMatchObject({
      GENSPAN_URL: "https://prod",
      [FILE_KEY]: "gsk_prod",
      DATABASE_URL: undefined,
      GENSPAN_KEY: undefined,
    });
    expect(holds(read({ ...env, GENSPAN_PROFILE: "prod" }))).toEqual({
      url: "http://env",
      key: "gsk_env",
      database_url: "postgres://env/db",
    });
  });

  it("send a key of a file to the address beside it and nowhere else", () => {
    own({ url: "https://mine", key: "gsk_mine" });
    here({ url: "https://somebody-else" });
    expect(holds(read())).toEqual({ url: "https://somebody-else" });
    expect(holds(read({ GENSPAN_URL: "http://env" }))).toEqual({ url: "http://env" });
    here({});
    expect(read().env).toMatchObject({ GENSPAN_URL: "https://mine", [FILE_KEY]: "gsk_mine", GENSPAN_KEY: undefined });
  });

  it("of the folder never have the environment's key sent to their address, unless it is this machine", () => {
    const env = { GENSPAN_KEY: "gsk_env" };
    here({ url: "https://shared" });
    expect(holds(read(env))).toEqual({ url: "https://shared" });
    expect(read(env).env).toMatchObject({ GENSPAN_KEY: "gsk_env", [FOLDER_URL]: "./genspan.config.json", [FILE_KEY]: undefined });
    here({ url: "https://shared", key: "gsk_here" });
    expect(holds(read(env))).toEqual({ url: "https://shared", key: "gsk_here" });
    here({ profiles: { team: { url: "https://shared" } } });
    expect(read(env, "team").env).toMatchObject({ [FOLDER_URL]: "profile team of ./genspan.config.json" });
    for (const url of ["http://localhost:4319", "http://127.0.0.1:4319", "http://[::1]:4319"]) {
      here({ url });
      expect(holds(read(env))).toEqual({ url, key: "gsk_env" });
      expect(read(env).env[FOLDER_URL]).toBeUndefined();
    }
  });

  it("have the environment's key sent to the person's own addresses", () => {
    own({ url: "https://mine" });
    expect(read({ GENSPAN_KEY: "gsk_env" }).env).toMatchObject({ GENSPAN_KEY: "gsk_env", [FOLDER_URL]: undefined });
  });

  it("of the folder mark its database, unless it can only be this machine's", () => {
    const local = [
      "postgres://localhost/db",
      "postgresql://me:secret@127.0.0.1:5433/db?sslmode=disable",
      "postgres://[::1]/db",
      "postgres:///db",
    ];
    for (const database_url of local) {
      here({ database_url });
      expect([database_url, read().env[FOLDER_DATABASE]]).toEqual([database_url, undefined]);
    }
    const others = [
      "postgres://evil.example/db",
      "postgres://localhost.evil.example/db",
      "postgres://localhost,evil.example/db",
      "postgres://me@evil.example,x@127.0.0.1/db",
      "postgres://me@evil.example@localhost/db",
      "postgres://localhost/db?host=evil.example",
      "postgres:///db?hostaddr=203.0.113.1",
      "evil.example",
    ];
    for (const database_url of others) {
      here({ database_url });
      expect([database_url, read().env[FOLDER_DATABASE]]).toEqual([database_url, "./genspan.config.json"]);
    }
    here({});
    own({ database_url: others[0] });
    expect(read().env).toMatchObject({ DATABASE_URL: others[0], [FOLDER_DATABASE]: undefined });
  });

  it.each([
    ["no JSON", "{", /is no JSON/],
    ["a list", [1], /must hold an object/],
    ["an unknown setting", { colour: "red" }, /has no use for colour: there are url, key/],
    ["a project that is none", { project: "x" }, /whole number above 0 in project/],
    ["a setting of another type", { url: {} }, /must have a text in url/],
    ["a profile that is no object", { profiles: { a: 1 } }, /an object in profiles\.a/],
    ["the name of a profile that is not there", { profile: "no", profiles: { a: {} } }, /There is no profile no; there are a\./],
  ])("tell of a file with %s, and leave the environment as it is", (_name, content, message) => {
    here(content);
    const { fault, env } = read({ GENSPAN_URL: "http://env" });
    expect(fault?.message).toMatch(message);
    expect(fault?.exitCode).toBe(2);
    expect(env["GENSPAN_URL"]).toBe("http://env");
  });

  it("may begin with the byte order mark of an editor", () => {
    here(`\uFEFF${JSON.stringify({ schema: "marked" })}`);
    expect(holds(read())).toEqual({ schema: "marked" });
  });

  it("need no file and no home", () => {
    expect(readSettings({}, undefined, folder)).toMatchObject({ effective: [], fault: undefined });
    expect(read({}, "prod").fault?.message).toMatch(/There is no profile prod: name it/);
  });

  it.each([
    [["run", "list", "--profile", "a"], "a"],
    [["--profile=b", "run"], "b"],
    [["sql", "--", "--profile", "c"], undefined],
    [["run"], undefined],
  ])("find the profile of %j", (args, name) => {
    expect(profileFlag(args)).toBe(name);
  });
});
