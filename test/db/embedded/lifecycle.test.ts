import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { SetupError } from "../../../collector/base/setup-error.ts";
import { readEmbeddedState } from "../../../collector/embedded/index.ts";
import { ask, cleanUpEmbedded, folderWithDatabase, serverOn, start, startOwner, temporaryFolder } from "../../support/embedded.ts";

afterEach(cleanUpEmbedded);

const MAIN = join(import.meta.dirname, "../../../collector/main.ts");

const settingsOf = (url: string, ...names: string[]) =>
  ask<{ name: string; setting: string }>(url, (sql) => sql`SELECT name, setting FROM pg_settings WHERE name = ANY(${names}) ORDER BY name`);

describe("the first start", () => {
  it("makes a database that commits durably, knows all letters and asks for a password", async () => {
    const { url } = await start({ dataDir: join(temporaryFolder(), "new", "data") });
    expect(new URL(url)).toMatchObject({ username: "genspan", hostname: "127.0.0.1", pathname: "/genspan" });
    expect(await settingsOf(url, "fsync", "jit", "password_encryption", "synchronous_commit", "unix_socket_directories")).toEqual([
      { name: "fsync", setting: "on" },
      { name: "jit", setting: "off" },
      { name: "password_encryption", setting: "scram-sha-256" },
      { name: "synchronous_commit", setting: "on" },
      { name: "unix_socket_directories", setting: "" },
    ]);
    const [text] = await ask(url, (sql) => sql`SELECT lower('ÄΣЖ') AS lower, 'a' < 'B' AS by_language, getdatabaseencoding() AS encoding`);
    expect(text).toEqual({ lower: "äσж", by_language: false, encoding: "UTF8" });
    const wrong = new URL(url);
    wrong.password = "wrong";
    await expect(ask(wrong.href, (sql) => sql`SELECT 1`)).rejects.toThrow("password authentication failed");
  });

  it("keeps the password and the state from other users", async () => {
    const dataDir = temporaryFolder();
    const { url } = await start({ dataDir });
    const modes = ["password", "embedded.json", "postgres.log"].map((name) => statSync(join(dataDir, name)).mode & 0o777);
    expect(modes).toEqual([0o600, 0o600, 0o600]);
    expect(readFileSync(join(dataDir, "password"), "utf8").trim()).toBe(new URL(url).password);
  });

  it("of two at once, one gets the database and the other says who has it", async () => {
    const dataDir = temporaryFolder();
    const owners = await Promise.all([startOwner({ dataDir }), startOwner({ dataDir })]);
    const [refused] = owners.filter((owner) => owner.error !== undefined);
    const [running] = owners.filter((owner) => owner.error === undefined);
    expect(refused?.error).toEqual({ name: "SetupError", message: expect.stringContaining("Another genspan collector is running") });
    expect(await ask(running!.url, (sql) => sql`SELECT 1 AS one`)).toEqual([{ one: 1 }]);
  });

  it("leaves no trace of an earlier start that was killed while it made the database", async () => {
    const dataDir = temporaryFolder();
    const abandoned = join(dataDir, "postgres.new-2147483646");
    mkdirSync(abandoned);
    writeFileSync(join(abandoned, "PG_VERSION"), "18\n");
    await start({ dataDir });
    expect(existsSync(abandoned)).toBe(false);
  });
});

describe("stop and start again", () => {
  it("keeps the rows, the password and the port that was asked for", async () => {
    const dataDir = await folderWithDatabase();
    const first = await start({ dataDir });
    await ask(first.url, (sql) => sql`CREATE TABLE kept AS SELECT 42 AS n`);
    await first.stop();
    expect(serverOn(dataDir)).toBeUndefined();

    const second = await start({ dataDir, port: first.port });
    expect(second.url).toBe(first.url);
    expect(await ask(second.url, (sql) => sql`SELECT n FROM kept`)).toEqual([{ n: 42 }]);
  });

  it("tells other programs where the database is while it runs, and nothing after", async () => {
    const dataDir = await folderWithDatabase();
    expect(readEmbeddedState(dataDir)).toBeUndefined();
    const { url, port, stop } = await start({ dataDir });
    expect(readEmbeddedState(dataDir)).toEqual({ url, port, host: "127.0.0.1", pid: process.pid });
    await stop();
    expect(readEmbeddedState(dataDir)).toBeUndefined();
  });

  it("ends sessions that are still open", async () => {
    const { url, stop } = await start({ dataDir: await folderWithDatabase() });
    const asleep = ask(url, (sql) => sql`SELECT pg_sleep(60)`).catch((error: Error) => error.message);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await stop();
    expect(await asleep).toMatch(/terminating connection|CONNECTION_CLOSED/);
  });

  it("lets a setting win that the user made by ALTER SYSTEM", async () => {
    const dataDir = await folderWithDatabase();
    const first = await start({ dataDir });
    await ask(first.url, (sql) => sql`ALTER SYSTEM SET max_connections = 61`);
    await first.stop();
    const second = await start({ dataDir });
    expect(await settingsOf(second.url, "max_connections")).toEqual([{ name: "max_connections", setting: "61" }]);
  });

  it("writes neither statements nor rows into the server's log", async () => {
    const dataDir = await folderWithDatabase();
    const { url, stop } = await start({ dataDir });
    await ask(url, (sql) => sql`CREATE TABLE once (prompt text PRIMARY KEY)`);
    await ask(url, (sql) => sql`INSERT INTO once VALUES ('canary prompt')`);
    await expect(ask(url, (sql) => sql`INSERT INTO once VALUES ('canary prompt')`)).rejects.toThrow("duplicate key");
    await stop();
    const log = readFileSync(join(dataDir, "postgres.log"), "utf8");
    expect(log).toContain("database system is shut down");
    expect(log).not.toMatch(/canary|duplicate key|INSERT/);
  });
});

describe("what a person must mend", () => {
  const fault = (options: Parameters<typeof start>[0]): Promise<Error> =>
    start(options).then(
      () => new Error("it started"),
      (error: Error) => error,
    );

  it("a second collector on the same data is refused and the first goes on", async () => {
    const dataDir = await folderWithDatabase();
    const { url } = await start({ dataDir });
    const error = await fault({ dataDir });
    expect(error).toBeInstanceOf(SetupError);
    expect(error.message).toContain("Another genspan collector is running on this data folder: stop it, or set GENSPAN_DATA_DIR");
    expect(await ask(url, (sql) => sql`SELECT 1 AS one`)).toEqual([{ one: 1 }]);
    expect(readEmbeddedState(dataDir)?.url).toBe(url);
  });

  it("a port in use is named", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as { port: number };
    const error = await fault({ dataDir: await folderWithDatabase(), port });
    other.close();
    expect(error).toBeInstanceOf(SetupError);
    expect(error.message).toMatch(new RegExp(`^Port ${port} on 127.0.0.1, .* is in use by another program: stop it, or set DATABASE_URL`));
  });

  it.each([
    ["files of another program", (folder: string) => writeFileSync(join(folder, "thesis.txt"), "x"), /holds files that are not genspan's/],
    [
      "data of another PostgreSQL version",
      (folder: string) => {
        mkdirSync(join(folder, "postgres"));
        writeFileSync(join(folder, "postgres", "PG_VERSION"), "15\n");
      },
      /written by PostgreSQL 15 and this is 18/,
    ],
    [
      "a folder postgres that is no database",
      (folder: string) => {
        mkdirSync(join(folder, "postgres"));
        writeFileSync(join(folder, "postgres", "letter.txt"), "x");
      },
      /holds files that are not genspan's \(such as postgres\/letter\.txt\)/,
    ],
  ])("%s in the data folder are left alone", async (_, prepare, message) => {
    const dataDir = temporaryFolder();
    prepare(dataDir);
    chmodSync(dataDir, 0o755);
    const error = await fault({ dataDir });
    expect(error).toBeInstanceOf(SetupError);
    expect(error.message).toMatch(message);
    expect(error.message).toContain("GENSPAN_DATA_DIR");
    expect(existsSync(join(dataDir, "password"))).toBe(false);
  });

  it("a file in place of the data folder is named", async () => {
    const file = join(temporaryFolder(), "data");
    writeFileSync(file, "");
    expect(await fault({ dataDir: file })).toMatchObject({
      name: "SetupError",
      message: expect.stringContaining("a file stands in its place"),
    });
  });

  it.runIf(existsSync("/proc/self"))("a data folder on a file system that takes no folders is named", () => {
    const start = spawnSync(process.execPath, [MAIN, "serve"], { env: { GENSPAN_DATA_DIR: "/proc/genspan/data" }, timeout: 20_000 });
    expect(start.stderr.toString()).toContain("The data folder /proc/genspan/data cannot be used (it is not writable)");
    expect(start.status).toBe(1);
  });

  it("a data folder several levels below what is there is made", async () => {
    const dataDir = join(temporaryFolder(), "a", "b", "data");
    await start({ dataDir });
    expect(existsSync(join(dataDir, "postgres", "PG_VERSION"))).toBe(true);
  });

  it("a lost or changed password file is named, and its return mends it", async () => {
    const dataDir = await folderWithDatabase();
    const file = join(dataDir, "password");
    await (await start({ dataDir })).stop();
    const password = readFileSync(file);
    rmSync(file);
    expect(await fault({ dataDir })).toMatchObject({ name: "SetupError", message: expect.stringContaining("is missing") });
    writeFileSync(file, "another");
    expect(await fault({ dataDir })).toMatchObject({ name: "SetupError", message: expect.stringContaining("another password") });
    writeFileSync(file, password);
    expect(await ask((await start({ dataDir })).url, (sql) => sql`SELECT 1 AS one`)).toEqual([{ one: 1 }]);
  });

  it("an address that this machine does not have is named", async () => {
    const error = await fault({ dataDir: await folderWithDatabase(), host: "192.0.2.1" });
    expect(error).toMatchObject({ name: "SetupError", message: expect.stringContaining("cannot listen on 192.0.2.1") });
  });
});
