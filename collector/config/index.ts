import { parseComponentId } from "./component-id.ts";
import { type Component, type Kind, readComponent, unknownType } from "./components.ts";
import { ConfigError } from "./config-error.ts";
import { contradictions } from "./contradictions.ts";
import { expandTree } from "./expand.ts";
import { applySets, type ConfigFile, isTree, mergeFiles } from "./merge.ts";
import { type Pipeline, readService, type Service } from "./service.ts";
import { type Findings, fault, field, mapOf, type Place, section } from "./shape.ts";

export type { AttributeAction, MatchProperties } from "./components/attributes.ts";
export type { Component } from "./components.ts";
export { ConfigError } from "./config-error.ts";
export type { Endpoint } from "./scalars.ts";
export type { Pipeline, Service };

/** A checked configuration: every default filled in, every reference known to exist. Components by id (`type` or `type/name`). */
export interface Config {
  readonly receivers: ReadonlyMap<string, Component<"receivers">>;
  readonly processors: ReadonlyMap<string, Component<"processors">>;
  readonly exporters: ReadonlyMap<string, Component<"exporters">>;
  readonly extensions: ReadonlyMap<string, Component<"extensions">>;
  readonly service: Service;
}

export interface LoadOptions {
  /** In order: later files override earlier ones. */
  readonly files: readonly ConfigFile[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `a.b.c=v`, applied after the files. */
  readonly sets?: readonly string[];
}

const anything = (value: unknown): unknown => value;
const bodies = field(mapOf(anything), new Map<string, unknown>());
const file = section(
  { receivers: bodies, processors: bodies, exporters: bodies, extensions: bodies, service: field(anything, undefined as unknown) },
  { connectors: "there are none in genspan" },
);

/**
 * Reads a configuration in the grammar of the OpenTelemetry Collector (a strict subset). Throws ConfigError with all faults at once:
 * loading faults begin with "failed to get config", faults of meaning with "invalid configuration".
 */
export function loadConfig(options: LoadOptions): { config: Config; warnings: readonly string[] } {
  const findings: Findings = { loading: [], meaning: [] };
  const warnings: string[] = [];
  const merged = applySets(mergeFiles(options.files, findings.loading), options.sets ?? [], findings.loading);
  if (findings.loading.length > 0) throw new ConfigError(worded(findings));
  if (Object.keys(merged).length === 0) throw new ConfigError(["invalid configuration: empty configuration file"]);
  const tree = expandTree(merged, { env: options.env, problems: findings.loading, warnings });
  const isExpanded = findings.loading.length === 0;
  const config = readConfig(tree, findings);
  // What could not be expanded is missing: that it is missed would be the same mistake told twice.
  if (!isExpanded) findings.meaning.length = 0;
  const faults = worded(findings);
  if (faults.length > 0) throw new ConfigError(faults);
  return { config, warnings };
}

const worded = ({ loading, meaning }: Findings): string[] => [
  ...loading.map((each) => `failed to get config: ${each}`),
  ...meaning.map((each) => `invalid configuration: ${each}`),
];

function readConfig(tree: unknown, findings: Findings): Config {
  const read = file(isTree(tree) ? tree : {}, { path: "", findings });
  const receivers = readComponents("receivers", read.receivers, findings);
  const processors = readComponents("processors", read.processors, findings);
  const exporters = readComponents("exporters", read.exporters, findings);
  const extensions = readComponents("extensions", read.extensions, findings);
  const components = { receivers, processors, exporters, extensions } as unknown as Omit<Config, "service">;
  const service = readService(read.service, { findings, components });
  const config = Object.freeze({ ...components, service });
  // Where the form is wrong, stand-ins would be compared.
  if (findings.loading.length === 0) findings.meaning.push(...contradictions(config));
  return config;
}

/** Also what is wrong has a place in the map, so that a reference to it is no second fault. */
function readComponents(kind: Kind, given: ReadonlyMap<string, unknown>, findings: Findings): ReadonlyMap<string, unknown> {
  const components = new Map<string, unknown>();
  const place: Place = { path: kind, findings };
  for (const [key, body] of given) {
    const id = parseComponentId(key);
    if ("fault" in id) fault(place, id.fault);
    else if (components.has(id.text)) fault(place, `duplicate name "${id.text}" after unmarshaling ${key}`);
    else {
      const known = readComponent(kind, id, { body, findings });
      if (known === undefined) fault(place, unknownType(kind, id));
      components.set(id.text, { type: id.type, options: known });
    }
  }
  return components;
}
