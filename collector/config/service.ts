import { parseComponentId } from "./component-id.ts";
import { matchesSpansOnly } from "./components/attributes.ts";
import type { Component } from "./components.ts";
import { text } from "./scalars.ts";
import { type Findings, fault, field, list, mapOf, type Reader, section } from "./shape.ts";

/** A signal's way through the components, by their ids. */
export interface Pipeline {
  readonly signal: "traces" | "logs";
  readonly receivers: readonly string[];
  readonly processors: readonly string[];
  readonly exporters: readonly string[];
}

export interface Service {
  /** Extensions that run. */
  readonly extensions: readonly string[];
  /** By pipeline id. */
  readonly pipelines: ReadonlyMap<string, Pipeline>;
}

interface Components {
  readonly receivers: ReadonlyMap<string, unknown>;
  readonly processors: ReadonlyMap<string, Component<"processors">>;
  readonly exporters: ReadonlyMap<string, unknown>;
  readonly extensions: ReadonlyMap<string, unknown>;
}

interface ServiceContext {
  readonly findings: Findings;
  readonly components: Components;
}

const SIGNALS = ["traces", "logs"] as const;
const PARTS = ["receivers", "processors", "exporters"] as const;

const reference: Reader<string> = (value, place) => text(value, place).trim();
const references = field(list(reference), [] as readonly string[]);
const pipelineBody = section({ receivers: references, processors: references, exporters: references });
const serviceBody = section(
  { extensions: references, pipelines: field(mapOf(pipelineBody), new Map<string, ReturnType<typeof pipelineBody>>()) },
  { telemetry: "GENSPAN_LOG_LEVEL sets the log level, metrics are served by the extension web" },
);

/** Reads `service` and checks that everything it refers to is there. Wording: otelcol/config.go, service/pipelines/config.go. */
export function readService(value: unknown, context: ServiceContext): Service {
  const { findings, components } = context;
  const { meaning } = findings;
  if (components.receivers.size === 0) meaning.push("no receiver configuration specified in config");
  if (components.exporters.size === 0) meaning.push("no exporter configuration specified in config");
  const { extensions, pipelines: bodies } = serviceBody(value, { path: "service", findings });
  for (const id of extensions) {
    if (!components.extensions.has(id)) meaning.push(`service::extensions: references extension "${id}" which is not configured`);
  }
  if (bodies.size === 0) meaning.push("service::pipelines: service must have at least one pipeline");
  const pipelines = new Map<string, Pipeline>();
  for (const [key, body] of bodies) {
    const id = parseComponentId(key);
    const place = { path: "service::pipelines", findings };
    if ("fault" in id) fault(place, id.fault);
    else if (!isSignal(id.type)) fault(place, `unknown signal "${id.type}" in "${id.text}" (valid values: [${SIGNALS.join(" ")}])`);
    else if (pipelines.has(id.text)) fault(place, `duplicate name "${id.text}" after unmarshaling ${key}`);
    else pipelines.set(id.text, Object.freeze({ signal: id.type, ...body }));
  }
  for (const [id, pipeline] of pipelines)
    meaning.push(...pipelineFaults(pipeline, components).map((each) => `service::pipelines::${id}: ${each}`));
  meaning.push(...sharedReceivers(pipelines));
  return Object.freeze({ extensions, pipelines });
}

const isSignal = (type: string): type is Pipeline["signal"] => (SIGNALS as readonly string[]).includes(type);

function pipelineFaults(pipeline: Pipeline, components: Components): string[] {
  const faults: string[] = [];
  if (pipeline.receivers.length === 0) faults.push("must have at least one receiver");
  if (pipeline.exporters.length === 0) faults.push("must have at least one exporter");
  for (const part of PARTS) {
    const kind = part.slice(0, -1);
    for (const [i, id] of pipeline[part].entries()) {
      if (pipeline[part].indexOf(id) < i) faults.push(`references ${kind} "${id}" multiple times`);
      else if (!components[part].has(id)) faults.push(`references ${kind} "${id}" which is not configured`);
    }
  }
  if (pipeline.signal === "logs") faults.push(...spanProperties(pipeline, components));
  return faults;
}

/** What only spans have, asked of log records. */
function spanProperties({ processors }: Pipeline, components: Components): string[] {
  return processors.flatMap((id) => {
    const processor = components.processors.get(id);
    if (processor?.type === "genai_mapping") return [`processor "${id}": genai_mapping reads spans alone`];
    if (processor?.type !== "attributes" || !matchesSpansOnly(processor.options)) return [];
    return [`processor "${id}": services, span_names, and span_kinds are not valid for log records`];
  });
}

/** Two pipelines of one signal on one receiver would store everything twice; the Collector's fan-out has no meaning here yet. */
function sharedReceivers(pipelines: ReadonlyMap<string, Pipeline>): string[] {
  const owners = new Map<string, string>();
  const faults: string[] = [];
  for (const [id, { signal, receivers }] of pipelines) {
    for (const receiver of new Set(receivers)) {
      const owner = owners.get(`${signal} ${receiver}`);
      if (owner !== undefined) {
        faults.push(
          `service::pipelines::${id}: receiver "${receiver}" already feeds pipeline "${owner}"; one pipeline a signal is supported`,
        );
      }
      owners.set(`${signal} ${receiver}`, id);
    }
  }
  return faults;
}
