import { emptyResource } from "@opentelemetry/resources";
import { type Content, createContent } from "./content.ts";
import { resolveContent } from "./content-policy.ts";
import { createPendingLane } from "./pending-lane.ts";
import { createProblems } from "./problems.ts";
import { createRecorder, type Recorder } from "./recorder.ts";
import { SCOPE } from "./scope.ts";
import { resolveOptions, type Settings } from "./settings.ts";

/** What the public functions of the SDK work with. */
export interface Current {
  readonly recorder: Recorder;
  readonly settings: Settings;
  /** Turns what an application gives into attributes, by the content policy. */
  readonly content: Content;
}

/** Makes ids and records nothing: before `startTracing()`, after its shutdown, and where tracing is switched off. */
export function createIdle(settings: Settings): Current {
  const problems = createProblems(undefined);
  const recorder = createRecorder({
    origin: { resource: emptyResource(), instrumentationScope: SCOPE },
    deliveries: [],
    lane: createPendingLane({ deliveries: [], delayMillis: 0, waitMillis: 0 }),
    problems,
  });
  return { recorder, settings, content: createContent({ policy: resolveContent("metadata", 0), redact: undefined, problems }) };
}

let installed: Current | undefined;
let idle: Current | undefined;

/** The recorder in use and its settings. */
export function current(): Current {
  if (installed !== undefined) return installed;
  idle ??= createIdle(resolveOptions({}, {}));
  return idle;
}

/** The recorder in use. */
export const recorder = (): Recorder => current().recorder;

/** Puts a recorder in use; undefined takes it out again. */
export function install(next: Current | undefined): void {
  installed = next;
}
