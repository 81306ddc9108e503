import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { runOn } from "../../support/cli-rig.ts";

const TYPES: Readonly<Record<string, string>> = {
  "<!doctype html><title>A shop</title>": "text/html; charset=utf-8",
  hello: "text/plain",
};

describe("an address where something else than a collector answers", () => {
  let body = "";
  let status = 200;
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(status, { "content-type": TYPES[body] ?? "application/json" }).end(body);
  });
  beforeAll(() => new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve)));
  afterAll(() => new Promise((resolve) => server.close(resolve)));
  const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  afterEach(() => {
    status = 200;
  });

  it.each([...Object.keys(TYPES), "", "null", "[", "{}"])("is told in one line when it says %j", async (said) => {
    body = said;
    for (const words of [
      ["generation", "list"],
      ["run", "list"],
      ["import", "package.json"],
    ]) {
      if (said === "{}" && words[0] === "import") continue;
      const { code, out, notes } = await runOn({} as never, [...words, "--url", url()]);
      expect([code, out], words.join(" ")).toEqual([5, ""]);
      expect(notes).toBe(
        `${url()} does not answer like a genspan collector: give the address of its web pages, such as http://127.0.0.1:4319.\n`,
      );
    }
  });

  it.each(Object.keys(TYPES))("has nothing of %j printed as rows or events", async (said) => {
    body = said;
    for (const words of [["item", "labels"], ["tail"], ["trace", "export", "4bf92f3577b34da6a3ce929d0e0e4736"]]) {
      const { code, out } = await runOn({} as never, [...words, "--url", url()]);
      expect([code, out], words.join(" ")).toEqual([5, ""]);
    }
  });

  it.each([
    [404, "hello", 5, "does not answer like a genspan collector"],
    [405, "<!doctype html><title>A shop</title>", 5, "does not answer like a genspan collector"],
    [404, "null", 5, "does not answer like a genspan collector"],
    [404, '{"error":{"message":"there is nothing at this address"}}', 1, "it is of another version"],
    [404, '{"error":{"message":"there is no such run"}}', 3, "There is no such run.\n"],
    [401, "hello", 4, "answered with status 401"],
    [401, '{"error":{"message":"a key is required"}}', 4, "A key is required. Commands take a key as --key or GENSPAN_KEY.\n"],
    [502, "hello", 5, "answered with status 502"],
    [503, "hello", 5, "it may be starting"],
    [503, '{"error":{"message":"the database is away"}}', 5, "The database is away.\n"],
  ])("that answers %i with %j ends with %i", async (answered, said, expected, sentence) => {
    [status, body] = [answered, said];
    const { code, out, notes } = await runOn({} as never, ["run", "show", "x", "--url", url()]);
    expect([code, out, notes]).toEqual([expected, "", expect.stringContaining(sentence)]);
  });
});
