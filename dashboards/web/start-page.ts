import { readFileSync } from "node:fs";
import { html } from "hono/html";
import type { HourTotals, Latest, LatestCall, LatestSpan } from "../../collector/query/latest.ts";
import { EXAMPLE_QUERY, exampleCurl, exampleVariables } from "./example-request.ts";

/** What the start page says; every address as the visitor can reach it. */
export interface StartPageModel {
  readonly version: string;
  /** When it says so. */
  readonly now: Date;
  /** Base URL of OTLP/HTTP. */
  readonly otlpUrl: string;
  /** Whether senders have to show a key. */
  readonly needsKey: boolean;
  /** Why the collector takes no data; undefined while it does. */
  readonly unready: "database" | "disk" | "stopping" | undefined;
  /** The database's address, without a password. */
  readonly database: string;
  /** Undefined when the database does not answer. */
  readonly latest: Latest | undefined;
  /** What became of the items of each signal since this collector started. */
  readonly items: readonly SignalTotals[];
}

export interface SignalTotals {
  readonly signal: string;
  readonly received: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly rejected: number;
  readonly refused: number;
}

const asset = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8");

/** The page's own style and script: its policy allows no others, nothing inline and nothing from elsewhere. */
export const START_CSS = asset("start.css");
export const START_SCRIPT = asset("start.js");

const STATUS = {
  ready: "Ready: what is acknowledged is committed.",
  database: "Not ready: the database takes no writes. Senders are told to come back.",
  disk: "Nearly out of disk space: make room where the data folder is. What is sent is stored as long as there is any.",
  stopping: "Stopping: requests under way are finished.",
} as const;

/** The page at `/`: where to send, how to look, what came in last. Whole without a script; with it, it stays up to date and copies commands. */
export function startPage(model: StartPageModel) {
  const { latest } = model;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>genspan</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/start.css">
<script src="/start.js" defer></script>
</head>
<body>
<a class="skip" href="#latest">Skip to what arrived last</a>
<header>
<h1>genspan <small>${model.version}</small></h1>
<p id="status" role="status" class="${model.unready === undefined ? "ok" : "bad"}">${STATUS[model.unready ?? "ready"]}</p>
</header>
<main>
<section aria-labelledby="send">
<h2 id="send">Send</h2>
<p>Any OpenTelemetry application, with the exporter it has:</p>
${command("variables", "the variables", exampleVariables(model.otlpUrl, model.needsKey))}
<details><summary>One model call by hand</summary>
${command("curl", "the curl command", exampleCurl(model.otlpUrl, model.needsKey ? " -H 'Authorization: Bearer YOUR_KEY'" : ""))}</details>
</section>
<section aria-labelledby="look">
<h2 id="look">Look</h2>
${command("query", "the query", EXAMPLE_QUERY)}
<p>Or any PostgreSQL client: <code>${model.database}</code></p>
</section>
<section aria-labelledby="latest" class="wide">
<div class="heading"><h2 id="latest">Arrived last</h2><button type="button" id="pause" aria-pressed="false" hidden>Pause</button></div>
<div id="hour" data-live>${hourLine(latest?.hour)}</div>
<h3 id="calls-title">Model calls</h3>
<div id="calls" data-live class="scroll" tabindex="0" role="region" aria-labelledby="calls-title">${callTable(latest?.calls, model.now)}</div>
<h3 id="spans-title">Spans</h3>
<div id="spans" data-live class="scroll" tabindex="0" role="region" aria-labelledby="spans-title">${spanTable(latest?.spans, model.now)}</div>
</section>
<section aria-labelledby="counted" class="wide">
<h2 id="counted">Since this collector started</h2>
<div id="items" data-live class="scroll" tabindex="0" role="region" aria-label="Items by signal">${itemTable(model.items)}</div>
</section>
</main>
<footer><nav aria-label="Operation"><a href="/metrics">Metrics</a> <a href="/healthz">Health</a> <a href="/readyz">Readiness</a></nav></footer>
<p id="told" role="status" class="unseen"></p>
</body>
</html>`;
}

const command = (id: string, what: string, text: string) =>
  html`<div class="command"><pre id="${id}" tabindex="0" aria-label="${what}"><code>${text}</code></pre><button type="button" data-copy="${id}" aria-label="Copy ${what}" hidden>Copy</button></div>`;

const NO_ANSWER = html`<p>The database did not answer in time.</p>`;
const count = (value: number | string): string => Number(value).toLocaleString("en-US");

function hourLine(hour: HourTotals | undefined) {
  if (hour === undefined) return NO_ANSWER;
  return html`<p>In the last hour: <strong>${count(hour.calls)}</strong> model calls, <strong>${count(hour.failed)}</strong> failed, <strong>${count(hour.tokens ?? 0)}</strong> tokens.</p>`;
}

function callTable(rows: readonly LatestCall[] | undefined, now: Date) {
  if (rows === undefined) return NO_ANSWER;
  if (rows.length === 0) return html`<p>No model call yet. Send one with the command above.</p>`;
  return html`<table>
<thead><tr><th scope="col">Started</th><th scope="col">Service</th><th scope="col">Model</th><th scope="col" class="number">Tokens</th><th scope="col" class="number">Duration</th><th scope="col">Status</th><th scope="col">Trace</th></tr></thead>
<tbody>${rows.map(
    (
      row,
    ) => html`<tr><td>${time(row.start_time, now)}</td><td><bdi>${row.service_name ?? "–"}</bdi></td><td><bdi>${row.model_name ?? "–"}</bdi></td>
<td class="number">${row.tokens_total === null ? "–" : count(row.tokens_total)}</td><td class="number">${duration(row.duration_ms)}</td>
<td class="${row.generation_status}">${row.generation_status}</td><td><code>${row.trace_id}</code></td></tr>`,
  )}</tbody></table>`;
}

const STATUS_ERROR = 2;

function spanTable(rows: readonly LatestSpan[] | undefined, now: Date) {
  if (rows === undefined) return NO_ANSWER;
  if (rows.length === 0) return html`<p>No span within the last day.</p>`;
  return html`<table>
<thead><tr><th scope="col">Received</th><th scope="col">Service</th><th scope="col">Span</th><th scope="col" class="number">Duration</th><th scope="col">Status</th><th scope="col">Trace</th></tr></thead>
<tbody>${rows.map(
    (
      row,
    ) => html`<tr><td>${time(row.received_at, now)}</td><td><bdi>${row.service_name}</bdi></td><td><bdi>${row.name}</bdi></td><td class="number">${duration(row.duration_ms)}</td>
<td class="${row.status_code === STATUS_ERROR ? "failed" : "success"}">${row.status_code === STATUS_ERROR ? "error" : "ok"}</td><td><code>${row.trace_id}</code></td></tr>`,
  )}</tbody></table>`;
}

const itemTable = (items: readonly SignalTotals[]) => html`<table>
<thead><tr><th scope="col">Signal</th><th scope="col" class="number">Received</th><th scope="col" class="number">Stored</th><th scope="col" class="number">Duplicate</th><th scope="col" class="number">Rejected</th><th scope="col" class="number">Refused</th></tr></thead>
<tbody>${items.map(
  (each) =>
    html`<tr><th scope="row">${each.signal}</th><td class="number">${count(each.received)}</td><td class="number">${count(each.stored)}</td><td class="number">${count(each.duplicate)}</td><td class="number">${count(each.rejected)}</td><td class="number">${count(each.refused)}</td></tr>`,
)}</tbody></table>`;

/** The time of today, else with its date. */
function time(at: Date, now: Date) {
  const iso = at.toISOString();
  const [day, clock] = [iso.slice(0, 10), iso.slice(11, 19)];
  return html`<time datetime="${iso}">${day === now.toISOString().slice(0, 10) ? clock : `${day} ${clock}`} UTC</time>`;
}

function duration(millis: number | null): string {
  if (millis === null) return "–";
  return millis < 1000 ? `${millis.toFixed(millis < 10 ? 1 : 0)} ms` : `${(millis / 1000).toFixed(2)} s`;
}
