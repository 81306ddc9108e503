import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runCli } from "../support/program.ts";

const TESTDATA = "test/unit/config/testdata";
const validate = (...args: readonly string[]) => runCli(["validate", ...args], { SECRET: "canary-4711" });

describe("genspan validate", () => {
  it.each(["bad-types", "bad-references", "bad-attributes", "bad-redaction"])(
    "says all that is wrong with %s, a line each, and exits with 1",
    async (name) => {
      const { code, stdout, stderr } = await validate("--config", `${TESTDATA}/${name}.yaml`);
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toBe(readFileSync(`${TESTDATA}/${name}.expected.txt`, "utf8"));
    },
  );

  it.each(["good-everything", "good-attributes", "good-genai"])("finds nothing wrong with %s and exits with 0", async (name) => {
    const { code, stderr } = await validate("--config", `${TESTDATA}/${name}.yaml`);
    expect([code, stderr]).toEqual([0, "The configuration is valid.\n"]);
  });

  it("checks the shipped configuration when no other is named", async () => {
    expect(await validate()).toMatchObject({ code: 0 });
  });

  it("warns of a variable that is not set, and does not fail for it", async () => {
    const { code, stderr } = await validate("--set", "exporters.postgres.connections=${env:NOT_SET}");
    expect([code, stderr]).toEqual([
      0,
      "Warning: Configuration references unset environment variable NOT_SET\nThe configuration is valid.\n",
    ]);
  });

  it("PRC-11 shows where a wrong value came from, never the value", async () => {
    const { code, stderr } = await validate("--set", "exporters.postgres.connections=${env:SECRET}");
    expect(code).toBe(1);
    expect(stderr).toContain("exporters::postgres::connections: expected type 'int', got unconvertible type 'string'");
    expect(stderr).not.toContain("canary-4711");
  });

  it("says which file cannot be read", async () => {
    const { code, stderr } = await validate("--config", "no-such-file.yaml");
    expect([code, stderr]).toEqual([1, "The configuration file no-such-file.yaml cannot be read: check its name and rights.\n"]);
  });
});
