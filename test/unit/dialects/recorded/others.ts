import { type ClientCases, calls, type Expected, metrics, noCalls, type Row, records } from "./client-cases.ts";

/** A span that the application made with Logfire and gave the name of a model: announced, then ended. */
const spoken = (status: string): Row => ({ dialect: "semconv", model_name: "m", generation_status: status, content_state: "absent" });

export const LOGFIRE: ClientCases = {
  client: "logfire",
  instrumentation: "@pydantic/logfire-node 0.18.25",
  bodies: {
    "span-callback": calls(spoken("pending"), spoken("success")),
    "span-manual": noCalls("manual {x}", "manual {x}"),
    pending: noCalls("pending {x}"),
    "pending.2": noCalls("pending {x}"),
    "log-error": noCalls("it failed", "it failed"),
  },
};

const said: Expected = records({ event_name: "x", body: "hello", service_name: "unknown_service:node" });

/** The stock SDK with nothing but an endpoint: one span, one log record, one counter, none of them about models. */
export const NODE_SDK: ClientCases = {
  client: "nodesdk-defaults",
  instrumentation: "@opentelemetry/sdk-node 0.301.0",
  bodies: {
    class: metrics(1),
    "class.2": noCalls("s"),
    "class.3": said,
    fn: metrics(1),
    "fn.2": noCalls("s"),
    "fn.3": said,
    yaml: noCalls("s"),
  },
};
