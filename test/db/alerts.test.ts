import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer as createTcpServer } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createMailer } from "../../collector/alerts/mail.ts";
import { isSigned } from "../../collector/alerts/message.ts";
import { createLog } from "../../collector/base/log.ts";
import { type AlertJobOptions, createAlertJob } from "../../collector/jobs/alerts.ts";
import { type ApiRig, createApiRig } from "../support/api-rig.ts";
import { describeEachServer } from "../support/database.ts";

const MINUTE_MS = 60_000;
const START = Date.UTC(2026, 10, 21, 8, 0, 0);
const at = (minutes: number): Date => new Date(START + minutes * MINUTE_MS);
const SECRET = "s3cret-of-the-hook";
const SEED_RULE = { metric: "run_success_rate", compare: "below", threshold: 0.5, window_seconds: 604_800, consecutive: 3 };

interface Told {
  readonly event: string;
  readonly event_id: string;
  readonly value: number;
  readonly link: string;
  readonly currency?: string;
  readonly left_out_currencies?: string[];
}

describeEachServer("alerts", (server) => {
  let rig: ApiRig;
  let hook: Server;
  let hookUrl: string;
  let status = 200;
  const told: { body: Told; signed: boolean }[] = [];
  beforeAll(async () => {
    rig = await createApiRig(server);
    hook = createServer((request, response) => {
      let text = "";
      request.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      request.on("end", () => {
        const header = String(request.headers["x-genspan-signature"] ?? "");
        if (status === 200)
          told.push({ body: JSON.parse(text) as Told, signed: isSigned(text, header, { secret: SECRET, nowSeconds: Date.now() / 1_000 }) });
        response.writeHead(status).end();
      });
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => hook.once("listening", resolve));
    hookUrl = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/hook`;
  });
  afterEach(async () => {
    told.length = 0;
    status = 200;
    await rig.owner`TRUNCATE alert_rules, alert_events, alert_channels, generation_runs, generation_logs, image_traces, job_leases`;
  });
  afterAll(async () => {
    hook.close();
    await rig[Symbol.asyncDispose]();
  });

  const job = (holder = "a", more: Partial<AlertJobOptions> = {}) =>
    createAlertJob({
      ...{ sql: rig.owner, schema: "public", reader: rig.services.reader, holder, log: createLog("silent") },
      ...{ publicUrl: "https://genspan.example", sendMail: undefined },
      ...more,
    });
  const makeRule = async (condition: object, more: object = {}): Promise<string> => {
    const channels = [{ type: "webhook", url: hookUrl, secret: SECRET }];
    const { status: made, body } = await rig.send<{ id: string }>("/api/alerts", {
      name: `rule ${Math.random()}`,
      condition,
      channels,
      interval_seconds: 10,
      ...more,
    });
    expect(made).toBe(201);
    return body.id;
  };
  const run = (minutes: number, successRate: number | null, state = "success", environment = "production") => rig.owner`
    INSERT INTO generation_runs (project_id, id, run_id, started_at, completed_at, status, overall_success_rate, environment, created_at, updated_at)
    VALUES (1, gen_random_uuid(), gen_random_uuid()::text, ${at(minutes - 5)}, ${state === "running" ? null : at(minutes)}, ${state}, ${successRate}, ${environment}, now(), now())`;
  const call = (
    minutes: number,
    state: string,
    more: { duration?: number; cost?: number | null; currency?: string; model?: string } = {},
  ) => rig.owner`
    INSERT INTO generation_logs (project_id, trace_id, span_id, start_time, dialect, generation_status, model_name, duration_ms, tokens_total, cost_amount, cost_currency, logged_at, updated_at, received_at)
    VALUES (1, md5(random()::text), left(md5(random()::text), 16), ${at(minutes)}, 'x', ${state}, ${more.model ?? "m"}, ${more.duration ?? 100}, 10, ${more.cost === undefined ? 1 : more.cost}, ${more.currency ?? null}, now(), now(), now())`;
  const stateOf = async (id: string): Promise<string | undefined> =>
    (await rig.get<{ last_state: string }>(`/api/alerts/${id}`)).body.last_state;

  it("AL-1 fires on the third run in a row below one half, once, and is over with the next good one", async () => {
    const id = await makeRule(SEED_RULE);
    for (const [minutes, rate] of [
      [0, 0.9],
      [10, 0.4],
      [20, 0.3],
    ] as const)
      await run(minutes, rate);
    await job().runOnce(at(21));
    expect([await stateOf(id), told.length]).toEqual(["ok", 0]);
    await run(30, 0.2);
    await job().runOnce(at(31));
    await job().runOnce(at(32));
    expect(told).toMatchObject([{ signed: true, body: { event: "firing", value: 0.2 } }]);
    await run(40, 0.8);
    await job().runOnce(at(41));
    await job().runOnce(at(42));
    expect(told.map(({ body }) => body.event)).toEqual(["firing", "resolved"]);
    expect(new Set(told.map(({ body }) => body.event_id)).size).toBe(1);
    const { body } = await rig.get<{ data: object[] }>(`/api/alerts/events?rule=${id}`);
    expect(body.data).toMatchObject([{ rule_id: id, started_at: at(31).toISOString(), resolved_at: at(41).toISOString() }]);
  });

  it("AL-1 a run that failed before it could say how many it inserted is a bad one, and one that says nothing is none", async () => {
    await makeRule(SEED_RULE);
    await run(0, 0.2);
    await run(10, null, "failed");
    await run(20, null);
    await job().runOnce(at(21));
    expect(told).toHaveLength(0);
    await run(30, null, "failed");
    await job().runOnce(at(41));
    expect(told.map(({ body }) => [body.event, body.value])).toEqual([["firing", 0]]);
    await run(50, null);
    await job().runOnce(at(51));
    expect(told).toHaveLength(1);
    await run(60, 0.9);
    await job().runOnce(at(61));
    expect(told.map(({ body }) => body.event)).toEqual(["firing", "resolved"]);
  });

  it("AL-1 tells once where two collectors watch at the same moment", async () => {
    await makeRule(SEED_RULE);
    for (const minutes of [0, 10, 20]) await run(minutes, 0.1);
    const jobs = [job("a"), job("b"), job("c")];
    for (const minute of [21, 22, 23]) await Promise.all(jobs.map((each) => each.runOnce(at(minute))));
    expect(told.map(({ body }) => body.event)).toEqual(["firing"]);
  });

  it("AL-2 a preview says of the past what would have happened", async () => {
    const id = await makeRule(SEED_RULE);
    for (const [minutes, rate] of [
      [0, 0.4],
      [10, 0.4],
      [20, 0.4],
      [30, 0.9],
      [40, 0.1],
    ] as const)
      await run(minutes, rate);
    const { body } = await rig.send<{ data: { at: string; state: string }[] }>("/api/alerts/preview", {
      condition: SEED_RULE,
      from: at(-5).toISOString(),
      to: at(45).toISOString(),
      steps: 10,
    });
    expect(body.data.map(({ state }) => state)).toEqual([
      "no_data",
      "no_data",
      "no_data",
      "no_data",
      "firing",
      "firing",
      "ok",
      "ok",
      "ok",
      "ok",
    ]);
    const seen: (string | undefined)[] = [];
    for (const point of body.data) {
      await job().runOnce(new Date(point.at));
      seen.push(await stateOf(id));
    }
    expect(seen).toEqual(body.data.map(({ state }) => state));
  });

  it("AL-3 links to the rows of the rule, in its filter and its time", async () => {
    await makeRule({ ...SEED_RULE, filter: "env=production", consecutive: 1 });
    await run(0, 0.1, "success", "staging");
    await job().runOnce(at(1));
    expect(told).toHaveLength(0);
    await run(10, 0.1);
    await job().runOnce(at(11));
    const [bad] = await rig.owner`SELECT run_id FROM generation_runs WHERE environment = 'production'`;
    expect(told[0]?.body.link).toBe(`https://genspan.example/runs/${bad?.["run_id"]}`);
    await run(12, 0.9);
    await job().runOnce(at(13));
    expect(told[1]?.body).toMatchObject({ event: "resolved", link: told[0]?.body.link });
  });

  /** Ids of what the API lists under a link. */
  const listed = async (link: string, id: string): Promise<unknown[]> => {
    const { pathname, search } = new URL(link);
    const { status: found, body } = await rig.get<{ data: Record<string, unknown>[] }>(`/api${pathname}${search}`);
    expect(found).toBe(200);
    return body.data.map((row) => row[id]).toSorted();
  };

  it("AL-3 links to the runs that were measured in a row, to the calls that made the number, and to nothing else", async () => {
    await makeRule({ ...SEED_RULE, consecutive: 2 });
    await run(0, 0.9);
    await run(10, 0.1);
    await run(20, 0.1);
    await job().runOnce(at(21));
    const bad = await rig.owner`SELECT run_id FROM generation_runs WHERE overall_success_rate < 0.5`;
    expect(await listed(told[0]?.body.link ?? "", "run_id")).toEqual(bad.map((row) => row["run_id"]).toSorted());

    await makeRule({ metric: "unpriced", compare: "at_least", threshold: 1, window_seconds: 600 });
    await call(2, "success", { model: "priced" });
    await call(3, "success", { model: "free", cost: null });
    await call(-20, "success", { model: "early", cost: null });
    await job().runOnce(at(5));
    expect(await listed(told.at(-1)?.body.link ?? "", "model_name")).toEqual(["free"]);
  });

  describe("metrics over windows", () => {
    it.each([
      ["failure_rate", "above", 0.4, 0.5],
      ["failures", "at_least", 2, 2],
      ["generations", "above", 3, 4],
      ["duration_p95_ms", "above", 500, 880],
      ["unpriced", "at_least", 1, 1],
      ["cost", "above", 2, 3],
      ["tokens", "at_least", 40, 40],
      ["timeouts", "at_least", 1, 1],
    ])("%s is measured of the last minutes alone", async (metric, compare, threshold, value) => {
      await call(-30, "failed", { duration: 9_000, cost: null });
      await call(1, "success");
      await call(2, "failed");
      await call(3, "timeout", { cost: null });
      await call(4, "success", { duration: 1_000 });
      await makeRule({ metric, compare, threshold, window_seconds: 600 });
      await job().runOnce(at(5));
      expect(told.map(({ body }) => [body.event, Math.round(body.value * 1_000) / 1_000])).toEqual([
        ["firing", metric === "duration_p95_ms" ? 865 : value],
      ]);
    });

    it.each([
      [{}, "USD", 2.5, ["EUR", "GBP"]],
      [{ currency: "EUR" }, "EUR", 40, ["GBP", "USD"]],
      [{ currency: "EUR", filter: "model=european" }, "EUR", 40, []],
    ])("cost is added up in one currency, and the others are told: %j", async (rule, currency, value, others) => {
      await call(1, "success", { cost: 2, currency: "USD" });
      await call(1, "success", { cost: 0.5 });
      await call(2, "success", { cost: 40, currency: "EUR", model: "european" });
      await call(3, "success", { cost: 9, currency: "GBP" });
      const id = await makeRule({ metric: "cost", compare: "above", threshold: 1, window_seconds: 600, ...rule });
      await job().runOnce(at(5));
      expect(told.map(({ body }) => body)).toMatchObject([{ value, currency, left_out_currencies: others }]);
      expect((await rig.get<{ text: string }>(`/api/alerts/${id}`)).body.text).toContain(`cost > 1 ${currency} over 600 s`);
      expect((await rig.get<object>(`/api/alerts/${id}/check`)).body).toMatchObject({ currency });
    });

    it("a currency is refused for what is no amount of money", async () => {
      const condition = { metric: "tokens", compare: "above", threshold: 1, window_seconds: 600, currency: "EUR" };
      const { status: refused, body } = await rig.send("/api/alerts", { name: "odd", condition, channels: [] });
      expect([refused, JSON.stringify(body)]).toEqual([400, expect.stringContaining("tokens is no amount of money")]);
    });

    it("AL-4 nothing to measure is no zero: it neither fires nor ends what fires, unless the rule says so", async () => {
      const quiet = await makeRule({ metric: "failure_rate", compare: "below", threshold: 1, window_seconds: 60 });
      await job().runOnce(at(0));
      expect([await stateOf(quiet), told.length]).toEqual(["no_data", 0]);
      await call(1, "success");
      await job().runOnce(at(1.5));
      expect(told.map(({ body }) => body.event)).toEqual(["firing"]);
      await job().runOnce(at(10));
      expect([await stateOf(quiet), told.length]).toEqual(["no_data", 1]);
      await makeRule({ metric: "failure_rate", compare: "above", threshold: 1, window_seconds: 60, no_data: "firing" });
      await job().runOnce(at(11));
      expect(told.map(({ body }) => body.event)).toEqual(["firing", "firing"]);
    });

    it("must be so for as many windows in a row as the rule says", async () => {
      await makeRule({ metric: "failures", compare: "at_least", threshold: 1, window_seconds: 60, consecutive: 3 });
      for (const minutes of [0.5, 2.5]) await call(minutes, "failed");
      await job().runOnce(at(3));
      expect(told).toHaveLength(0);
      await call(1.5, "failed");
      await job().runOnce(at(3));
      await job().runOnce(at(3.2));
      expect(told.map(({ body }) => body.event)).toEqual(["firing"]);
    });
  });

  it("AL-2 a preview takes relative times as every filter does, and the last day unless told", async () => {
    const condition = { ...SEED_RULE, consecutive: 1 };
    const ask = (body: object) =>
      rig.send<{ data: { at: string }[]; error?: object }>("/api/alerts/preview", { condition, steps: 2, ...body });
    const spanOf = ({ body: { data } }: Awaited<ReturnType<typeof ask>>): number =>
      Date.parse(data[1]?.at ?? "") - Date.parse(data[0]?.at ?? "");
    const week = await ask({ from: "-7d", to: "now" });
    expect(week.status).toBe(200);
    expect(spanOf(week)).toBeCloseTo(3.5 * 86_400_000, -3);
    expect(spanOf(await ask({}))).toBeCloseTo(12 * 3_600_000, -3);
    expect(spanOf(await ask({ from: "2026-11-20", to: "2026-11-21" }))).toBe(12 * 3_600_000);
    for (const body of [{ from: "yesterday" }, { from: "now", to: "-1h" }, { from: 7 }]) expect((await ask(body)).status).toBe(400);
  });

  it("stuck runs and repeated failures of images can be watched, too", async () => {
    await makeRule({ metric: "stuck_runs", compare: "at_least", threshold: 1, window_seconds: 3_600 });
    await makeRule({ metric: "image_failed", compare: "at_least", threshold: 1, window_seconds: 86_400, consecutive: 2 });
    await run(0, null, "running");
    const image = (minutes: number, state: string) =>
      rig.owner`INSERT INTO image_traces (project_id, id, status, created_at, completed_at, received_at) VALUES (1, gen_random_uuid(), ${state}, ${at(minutes)}, ${at(minutes)}, now())`;
    await image(0, "failed");
    await job().runOnce(at(30));
    expect(told).toHaveLength(0);
    await image(40, "failed");
    await job().runOnce(at(90));
    expect(told).toHaveLength(2);
    const [stuck] = await rig.owner`SELECT run_id FROM generation_runs`;
    const failed = await rig.owner`SELECT id FROM image_traces`;
    const links = told.map(({ body }) => body.link).toSorted();
    expect(links[1]).toBe(`https://genspan.example/runs/${stuck?.["run_id"]}`);
    expect(await listed(links[0] ?? "", "id")).toEqual(failed.map((row) => row["id"]).toSorted());
  });

  describe("telling", () => {
    const fire = async (more: object = {}): Promise<string> => {
      await run(0, 0.1);
      return makeRule({ ...SEED_RULE, consecutive: 1 }, more);
    };

    it("is tried again until it succeeds; channels that took the message do not hear it twice", async () => {
      const mails: unknown[] = [];
      await fire({
        channels: [
          { type: "webhook", url: hookUrl, secret: SECRET },
          { type: "email", to: ["a@example.org"] },
        ],
      });
      const watch = job("a", { sendMail: async (mail) => void mails.push(mail) });
      status = 500;
      await watch.runOnce(at(1));
      await watch.runOnce(at(2));
      expect([told.length, mails.length]).toEqual([0, 1]);
      const [event] = await rig.owner`SELECT attempts, last_failure FROM alert_events`;
      expect(event).toEqual({ attempts: 2, last_failure: "the webhook answered with status 500" });
      status = 200;
      await watch.runOnce(at(3));
      await watch.runOnce(at(4));
      expect([told.length, mails.length]).toEqual([1, 1]);
    });

    it("is tried again more and more rarely, for most of a day, before it is given up", async () => {
      await fire();
      const watch = job();
      status = 500;
      const triedAt: number[] = [];
      const attempts = async (): Promise<number> => Number((await rig.owner`SELECT attempts FROM alert_events`)[0]?.["attempts"] ?? 0);
      for (let minute = 1; minute <= 20 * 60 && triedAt.length < 12; minute += minute < 60 ? 1 : 10) {
        const before = await attempts();
        await watch.runOnce(at(minute));
        if ((await attempts()) > before) triedAt.push(minute);
      }
      expect(triedAt.slice(0, 6)).toEqual([1, 2, 3, 5, 9, 17]);
      expect(triedAt).toHaveLength(12);
      expect(triedAt.at(-1)).toBeGreaterThan(16 * 60);
    });

    it("of one rule is not held up by the channel of another one that does not answer", async () => {
      await run(0, 0.1);
      const names = ["hangs", "answers"];
      for (const name of names) await makeRule({ ...SEED_RULE, consecutive: 1 }, { name });
      const answered = Promise.withResolvers<void>();
      const hanging = Promise.withResolvers<Response>();
      const watch = job("a", {
        fetch: async (_url, request) => {
          if ((JSON.parse(String(request?.body)) as { rule: { name: string } }).rule.name !== "answers") return hanging.promise;
          answered.resolve();
          return new Response(null, { status: 200 });
        },
      });
      const looking = watch.runOnce(at(1));
      await answered.promise;
      hanging.resolve(new Response(null, { status: 200 }));
      expect(await looking).toBe(2);
    });

    it("of two webhooks to one address, written otherwise, is tried again for the one that failed alone, and so is the end", async () => {
      const webhook = { type: "webhook", url: hookUrl };
      const template = '{"event": "{{event}}", "event_id": "templated"}';
      await fire({ channels: [webhook, { ...webhook, format: "template", template }] });
      let failing = true;
      const sent: string[] = [];
      const watch = job("a", {
        fetch: async (_url, request) => {
          const { event, event_id: id } = JSON.parse(String(request?.body)) as Told;
          const isTemplated = id === "templated";
          if (!isTemplated && failing) return new Response(null, { status: 500 });
          sent.push(`${event} ${isTemplated ? "templated" : "plain"}`);
          return new Response(null, { status: 200 });
        },
      });
      await watch.runOnce(at(1));
      expect(sent).toEqual(["firing templated"]);
      failing = false;
      await watch.runOnce(at(2));
      await watch.runOnce(at(3));
      expect(sent).toEqual(["firing templated", "firing plain"]);
      await run(10, 0.9);
      await watch.runOnce(at(11));
      expect(sent.slice(2).toSorted()).toEqual(["resolved plain", "resolved templated"]);
    });

    it("of an end reaches the channels that heard of the beginning, also while another channel never answers", async () => {
      const subjects: string[] = [];
      await fire({
        channels: [
          { type: "webhook", url: hookUrl, secret: SECRET },
          { type: "email", to: ["a@example.org"] },
        ],
      });
      const watch = job("a", { sendMail: async ({ subject }) => void subjects.push(subject) });
      status = 500;
      await watch.runOnce(at(1));
      await run(10, 0.9);
      await watch.runOnce(at(11));
      status = 200;
      await watch.runOnce(at(12));
      expect(subjects).toEqual([expect.stringContaining("fires"), expect.stringContaining("is over")]);
      expect(told).toEqual([]);
    });

    it("of an end reaches those who heard of the beginning, also when channels changed their order, went or came meanwhile", async () => {
      const mails: string[] = [];
      const mail = (name: string) => ({ type: "email", to: [`${name}@example.org`] });
      const webhook = { type: "webhook", url: hookUrl, secret: SECRET };
      const id = await fire({ channels: [webhook, mail("first"), mail("second")] });
      const watch = job("a", { sendMail: async ({ to, subject }) => void mails.push(`${to} ${/fires|is over/.exec(subject)}`) });
      const change = async (...channels: object[]): Promise<void> => {
        const { name } = (await rig.get<{ name: string }>(`/api/alerts/${id}`)).body;
        const rule = { name, condition: { ...SEED_RULE, consecutive: 1 }, interval_seconds: 10, channels };
        expect((await rig.send(`/api/alerts/${id}`, rule, { method: "PUT" })).status).toBe(200);
      };
      status = 500;
      await watch.runOnce(at(1));
      expect(mails).toEqual(["first@example.org fires", "second@example.org fires"]);
      await change(mail("second"), mail("third"), webhook, mail("first"));
      await watch.runOnce(at(2));
      expect(mails.slice(2)).toEqual(["third@example.org fires"]);
      await change(mail("fourth"), mail("third"), mail("second"), webhook);
      await run(10, 0.9);
      status = 200;
      await watch.runOnce(at(11));
      expect(mails.slice(3).toSorted()).toEqual(["second@example.org is over", "third@example.org is over"]);
      expect(told).toEqual([]);
      const [event] = await rig.owner`SELECT details::text AS details FROM alert_events`;
      expect(String(event?.["details"])).not.toMatch(/hook"|example\.org|s3cret/);
    });

    it("that was noted by the places of channels goes on by these", async () => {
      const subjects: string[] = [];
      const id = await fire({
        channels: [
          { type: "webhook", url: hookUrl },
          { type: "email", to: ["a@example.org"] },
        ],
      });
      await rig.owner`INSERT INTO alert_events (project_id, id, rule_id, started_at, attempts, details)
        VALUES (1, gen_random_uuid(), ${id}, ${at(0)}, 1, '{"told": {"firing": [1]}}')`;
      await run(10, 0.9);
      await job("a", { sendMail: async ({ subject }) => void subjects.push(subject) }).runOnce(at(11));
      expect([subjects.length, told.length]).toEqual([1, 0]);
    });

    it("is left out while the rule is muted; what still holds afterwards is told then", async () => {
      const id = await fire();
      await rig.send(`/api/alerts/${id}/mute`, { until: at(60).toISOString() });
      await job().runOnce(at(1));
      expect(told).toHaveLength(0);
      await job().runOnce(at(61));
      expect(told).toHaveLength(1);
    });

    it("is tried out by a test message, marked as such, which changes nothing", async () => {
      const id = await fire();
      expect((await rig.send(`/api/alerts/${id}/test`, {})).body).toEqual({ told: 1, failures: [] });
      expect(told).toMatchObject([{ signed: true, body: { event: "test", project: "default" } }]);
      expect(await rig.owner`SELECT FROM alert_events`).toHaveLength(0);
    });

    it("goes by SMTP", async () => {
      const received: string[] = [];
      const smtp = createTcpServer((socket) => {
        socket.write("220 test\r\n");
        let data = false;
        socket.on("data", (chunk) => {
          for (const line of chunk
            .toString()
            .split("\r\n")
            .filter((each) => each !== "")) {
            received.push(line);
            if (data && line !== ".") continue;
            data = line === "DATA";
            socket.write(data ? "354 go\r\n" : line.startsWith("EHLO") ? "250 test\r\n" : line === "QUIT" ? "221 bye\r\n" : "250 ok\r\n");
          }
        });
      }).listen(0, "127.0.0.1");
      await new Promise((resolve) => smtp.once("listening", resolve));
      const sendMail = createMailer({ smtpUrl: `smtp://127.0.0.1:${(smtp.address() as AddressInfo).port}`, from: "genspan@example.org" });
      await fire({ channels: [{ type: "email", to: ["a@example.org"] }] });
      await job("a", { sendMail }).runOnce(at(1));
      smtp.close();
      expect(received.join("\n")).toContain("RCPT TO:<a@example.org>");
      expect(received.join("\n")).toContain("MAIL FROM:<genspan@example.org>");
    });
  });

  describe("rules", () => {
    it("show neither addresses nor secrets of their channels, to nobody", async () => {
      const id = await makeRule(SEED_RULE);
      expect(JSON.stringify((await rig.get(`/api/alerts/${id}`)).body)).not.toMatch(/\/hook|s3cret/);
      const seen = await rig.services.reader.read({ projectId: 1 }, (ask) =>
        ask<{ row: string }>({ texts: ["SELECT t::text AS row FROM alert_rules t"], values: [] }),
      );
      expect(JSON.stringify(seen)).not.toMatch(/\/hook|s3cret/);
      await expect(
        rig.services.reader.read({ projectId: 1 }, (ask) => ask({ texts: ["SELECT * FROM alert_channels"], values: [] })),
      ).rejects.toThrow(/permission/);
    });

    it("are changed, keeping their channels where none are given, and removed with their history", async () => {
      const id = await makeRule(SEED_RULE);
      const changed = await rig.send<{ name: string; channels: object[] }>(
        `/api/alerts/${id}`,
        { name: "renamed", condition: SEED_RULE },
        { method: "PUT" },
      );
      expect(changed.body).toMatchObject({ name: "renamed", channels: [{ type: "webhook", signed: true }] });
      expect((await rig.send(`/api/alerts/${id}`, undefined, { method: "DELETE" })).status).toBe(200);
      expect((await rig.get(`/api/alerts/${id}`)).status).toBe(404);
      expect(await rig.owner`SELECT FROM alert_channels`).toHaveLength(0);
    });

    it.each([
      [{ ...SEED_RULE, metric: "no such" }],
      [{ ...SEED_RULE, filter: "model=x" }],
      [{ ...SEED_RULE, consecutive: 0 }],
      [{ ...SEED_RULE, threshold: "high" }],
      [{ ...SEED_RULE, extra: 1 }],
    ])("that make no sense are refused: %j", async (condition) => {
      expect((await rig.send("/api/alerts", { name: "bad", condition })).status).toBe(400);
    });

    it("have a name of their own", async () => {
      await makeRule(SEED_RULE, { name: "same" });
      expect((await rig.send("/api/alerts", { name: "same", condition: SEED_RULE })).status).toBe(409);
    });

    it("are measured on request, telling nobody", async () => {
      await run(0, 0.1);
      await rig.owner`UPDATE generation_runs SET completed_at = now() - interval '1 minute'`;
      const id = await makeRule({ ...SEED_RULE, consecutive: 1, window_seconds: 2_592_000 });
      const { body } = await rig.get(`/api/alerts/${id}/check`);
      expect(body).toEqual({ state: "firing", value: 0.1, currency: null, left_out_currencies: [], values: [0.1] });
      expect(told).toHaveLength(0);
    });
  });
});
