import {
  defaultResource,
  detectResources,
  envDetector,
  hostDetector,
  osDetector,
  processDetector,
  type Resource,
  type ResourceDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
} from "@opentelemetry/resources";
import { SERVICE_NAME } from "../attributes.ts";
import type { Environment, Settings } from "./settings.ts";

/** Detectors by their name in OTEL_NODE_RESOURCE_DETECTORS. */
const DETECTORS: Readonly<Record<string, ResourceDetector>> = {
  serviceinstance: serviceInstanceIdDetector,
  process: processDetector,
  host: hostDetector,
  os: osDetector,
  env: envDetector,
};

/** Without `process`: command lines often hold secrets. */
const DEFAULT_DETECTORS = ["serviceinstance", "host", "os", "env"];

/** Who this process is: detectors, then OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME, then the options. */
export function createResource({ serviceName, resourceAttributes }: Settings, environment: Environment = process.env): Resource {
  const own = serviceName === undefined ? resourceAttributes : { ...resourceAttributes, [SERVICE_NAME]: serviceName };
  return defaultResource()
    .merge(detectResources({ detectors: detectorsFrom(environment["OTEL_NODE_RESOURCE_DETECTORS"]) }))
    .merge(resourceFromAttributes({ ...own }));
}

function detectorsFrom(list: string | undefined): ResourceDetector[] {
  const names = (list?.trim() || DEFAULT_DETECTORS.join(",")).split(",").map((name) => name.trim());
  if (names.includes("none")) return [];
  const wanted = names.includes("all") ? Object.keys(DETECTORS) : names;
  return wanted.flatMap((name) => DETECTORS[name] ?? []);
}
