import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { useGivenReader } from "../../schema/given-reader.ts";
import { SchemaError } from "../../schema/schema-error.ts";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";

describeEachServer("a login given for reading", (server) => {
  let database: TestDatabase;
  let owner: Sql;
  const logins: string[] = [];

  const newLogin = async (options = ""): Promise<{ login: string; readUrl: string }> => {
    const login = `given_${process.pid}_${Date.now()}_${logins.length}`;
    logins.push(login);
    await owner.unsafe(`CREATE ROLE ${login} LOGIN PASSWORD 'strong' ${options}`);
    return { login, readUrl: Object.assign(new URL(database.url), { username: login, password: "strong" }).href };
  };
  const use = (readUrl: string) => useGivenReader({ url: database.url, readUrl });

  beforeAll(async () => {
    database = await createTestDatabase(server);
    owner = postgres(database.url, { max: 1, onnotice: () => {} });
  });
  afterAll(async () => {
    for (const login of logins) await owner.unsafe(`DROP OWNED BY ${login}; DROP ROLE ${login}`);
    await owner.end();
    await database[Symbol.asyncDispose]();
  });

  it("gets the rights it lacks, and reads one project at a time", async () => {
    const { readUrl } = await newLogin();
    expect(await use(readUrl)).toEqual({ url: readUrl });
    const reader = postgres(readUrl, { max: 1 });
    try {
      const times = { created_at: new Date() };
      await owner`INSERT INTO projects ${owner({ id: 7, name: "seven", ...times })}`;
      const seen = await reader.begin(async (tx) => {
        await tx`SET LOCAL genspan.project = 7`;
        return tx`SELECT id FROM projects`;
      });
      expect([seen, await reader`SELECT id FROM projects`]).toMatchObject([[{ id: 7 }], []]);
      await expect(reader`SELECT FROM api_keys`).rejects.toMatchObject({ code: "42501" });
      await expect(reader`DELETE FROM projects`).rejects.toMatchObject({ code: "42501" });
    } finally {
      await reader.end();
    }
  });

  it("is taken again as it is", async () => {
    const { readUrl } = await newLogin();
    await use(readUrl);
    await expect(use(readUrl)).resolves.toEqual({ url: readUrl });
  });

  it.each([
    ["a superuser", "SUPERUSER", /is a superuser/],
    ["a login with BYPASSRLS", "BYPASSRLS", /has BYPASSRLS/],
  ])("TEN-04 %s is refused, with what to do", async (_, options, sentence) => {
    const { readUrl } = await newLogin(options);
    await expect(use(readUrl)).rejects.toThrow(SchemaError);
    await expect(use(readUrl)).rejects.toThrow(sentence);
    await expect(use(readUrl)).rejects.toThrow(/give genspan a login for reading that owns nothing/);
  });

  it("TEN-04 the writer itself is refused", async () => {
    await expect(use(database.url)).rejects.toThrow(/so that it would read the rows of every project/);
  });

  it("TEN-04 a member of the owner is refused", async () => {
    const { login, readUrl } = await newLogin();
    const [{ writer }] = await owner<[{ writer: string }]>`SELECT current_user AS writer`;
    await owner.unsafe(`GRANT "${writer}" TO ${login}`);
    await expect(use(readUrl)).rejects.toThrow(/is a member of its owner/);
  });

  it("one that cannot connect is told by its own name, not the writer's", async () => {
    const readUrl = Object.assign(new URL(database.url), { port: "1" }).href;
    await expect(use(readUrl)).rejects.toThrow(/correct the host and port in read_url/);
  });
});
