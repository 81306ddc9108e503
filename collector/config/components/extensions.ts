import { type Endpoint, endpoint, text } from "../scalars.ts";
import { field, optional, section } from "../shape.ts";

const WEB: Endpoint = { host: "127.0.0.1", port: 4319 };

export const web = section({
  /** Where start page, API, health and metrics listen. */
  endpoint: field(endpoint, WEB),
  /** Address by which people reach the pages: links of alerts begin with it. */
  public_url: optional(text),
  /** Mail server for alerts: smtp://user:password@host:587, or smtps://. */
  smtp_url: optional(text),
  /** Sender of the mails. */
  email_from: field(text, "genspan@localhost"),
});
