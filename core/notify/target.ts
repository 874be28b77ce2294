/**
 * What a letter looks like at each kind of target: the exact request.
 *
 * Rule 1: no credential is here. The host knows the address of the target `to` and adds its
 * authorization; where a service wants the secret in the path, the path has `{secret}`, which the
 * host replaces with the target's secret, percent-encoded. A request without it gets none that way.
 * Rule 2: texts go into headers only as printable ASCII, so no text ends a header or begins one.
 * Rule 3: texts go into JSON as strings in ASCII, and as plain text where the service could take
 * them for markup.
 * Not known here: when a letter is sent, and what the answer means (`reply.ts`).
 * @module
 */
import { assert, unreachable } from "../assert.ts";
import { base64, utf8 } from "../bytes.ts";
import { quote } from "../joinmarket/json.ts";
import type { RequestEffect } from "../kernel/io.ts";
import { rankOf, type Priority } from "./notice.ts";

type Common = {
  /** The target's name at the host, and in records: it must stay when others are configured. */
  readonly to: string;
  /** Lesser notices are not sent there. */
  readonly priorityMin: Priority;
};

export type Target =
  /** POST of a JSON object to `path`, below the address that the host knows. */
  | Common & { readonly kind: "webhook"; readonly path: string }
  /** ntfy: POST to the topic, which is the path. Topics are secrets: `/{secret}`. */
  | Common & { readonly kind: "ntfy"; readonly path: string }
  /** Gotify: POST to `/message`; the host adds the application's token as `X-Gotify-Key`. */
  | Common & { readonly kind: "gotify"; readonly path: string }
  /** Telegram: POST to `/bot{secret}/sendMessage`. */
  | Common & { readonly kind: "telegram"; readonly path: string; readonly chat: string }
  /** A command of the host's configuration. */
  | Common & { readonly kind: "exec" };

/** Runs the command of a target. Answered like a request: `req.done` with 200, or `req.failed`. */
export type ExecEffect = {
  readonly type: "exec.start"; readonly req: number; readonly to: string; readonly title: string;
  readonly body: string; readonly priority: Priority;
};

/** A letter as it is sent now. */
export type Message = {
  /** The same letter has the same id, however often it is sent; 0 if it has none. */
  readonly id: number; readonly kind: string; readonly priority: Priority;
  readonly title: string; readonly body: string; readonly unixMs: number;
  readonly isRecorded: boolean;
};

/** The path of a service that has only one. */
export const paths = {
  gotify: "/message", telegram: "/bot{secret}/sendMessage", ntfy: "/{secret}",
} as const;

/** Telegram takes so many UTF-16 units in a message. */
const telegramMax = 4_096;

/** May this be a target? The path is one of printable ASCII that leads nowhere else. */
export function accepts(t: Target): boolean {
  if (!/^[!-~]{1,64}$/.test(t.to)) return false;
  if (t.kind === "exec") return true;
  if (!/^\/[!-~]{0,511}$/.test(t.path) || t.path.startsWith("//")) return false;
  if (t.path.split("{secret}").length > 2 || /[\\#]/.test(t.path)) return false;
  return t.kind !== "telegram" || /^(-?[0-9]{1,20}|@[A-Za-z0-9_]{1,64})$/.test(t.chat);
}

/** The order for one attempt. `renew`: the host reads the target's credentials again first. */
export function orderOf(
  t: Target, m: Message, req: number, renew: boolean,
): RequestEffect | ExecEffect {
  const { title, body, priority } = m;
  const { to } = t;
  if (t.kind === "exec") return { type: "exec.start", req, to, title, body, priority };
  const { path } = t;
  const rest = t.kind === "ntfy" ? ntfy(m) : { headers: jsonHeaders, body: json(t, m) };
  return { type: "req.start", req, to, method: "POST", path, ...rest, renew };
}

const jsonHeaders: readonly (readonly [string, string])[] =
  [["content-type", "application/json"]];

type Rest = {
  readonly headers: readonly (readonly [string, string])[]; readonly body: string;
};

/** Titles travel in a header, the message is the body. */
function ntfy(m: Message): Rest {
  const priority = rankOf(m.priority) + 2;
  assert(/^[a-z-]+$/.test(m.kind), "a kind is a word");
  return {
    headers: [
      ["content-type", "text/plain; charset=utf-8"], ["title", header(m.title)],
      ["priority", `${priority}`], ["tags", `${tagOf(m.priority)},${m.kind}`],
    ],
    body: m.body === "" ? m.title : m.body,
  };
}

/** The name of the picture that ntfy shows. */
function tagOf(priority: Priority): string {
  switch (priority) {
    case "low": return "memo";
    case "normal": return "information_source";
    case "high": return "warning";
    case "urgent": return "rotating_light";
    default: return unreachable(priority); /* c8 ignore next */
  }
}

function json(t: Exclude<Target, { readonly kind: "exec" | "ntfy" }>, m: Message): string {
  const { title, body } = m;
  switch (t.kind) {
    case "webhook":
      return `{"id":${m.id},"kind":${quote(m.kind)},"priority":"${m.priority}",`
        + `"title":${quote(title)},"body":${quote(body)},"at":${m.unixMs},`
        + `"durable":${m.isRecorded}}`;
    case "gotify":
      return `{"title":${quote(title)},"message":${quote(body === "" ? title : body)},`
        + `"priority":${gotifyPriority(m.priority)}}`;
    case "telegram": {
      const text = (body === "" ? title : `${title}\n\n${body}`).slice(0, telegramMax);
      return `{"chat_id":${quote(t.chat)},"text":${quote(text)},`
        + `"disable_web_page_preview":true,"disable_notification":${m.priority === "low"}}`;
    }
    default: return unreachable(t); /* c8 ignore next */
  }
}

/** Gotify's clients make a sound from 4 on and insist from 8 on. */
function gotifyPriority(priority: Priority): number {
  switch (priority) {
    case "low": return 2;
    case "normal": return 4;
    case "high": return 7;
    case "urgent": return 10;
    default: return unreachable(priority); /* c8 ignore next */
  }
}

/** Of one encoded word, in bytes of its text: 75 characters at most (RFC 2047 §2). */
const wordBytesMax = 45;

/**
 * A text as the value of a header: as it is when it is printable ASCII, otherwise in encoded words
 * (RFC 2047), which ntfy reads. No result has a control character or anything beyond ASCII.
 */
export function header(text: string): string {
  if (/^[ -~]*$/.test(text) && !text.includes("=?")) return text;
  const chunks: string[] = [];
  let chunk = "";
  let size = 0;
  for (const character of text) {
    const bytes = utf8(character).length;
    if (size + bytes > wordBytesMax) {
      chunks.push(chunk);
      chunk = "";
      size = 0;
    }
    chunk += character;
    size += bytes;
  }
  chunks.push(chunk);
  return chunks.map((part) => `=?UTF-8?B?${base64(utf8(part))}?=`).join(" ");
}
