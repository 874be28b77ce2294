/**
 * Whom a daemon asks over HTTP, by the checked values of the file: addresses, credentials, notices.
 *
 * Rule 1: relations between values are told with their keys; all of them in one pass.
 * Rule 2: what would leave this machine needs Tor: a setting that would go around it is refused.
 * @module
 */
import { defaults as makerDefaults } from "../../core/notify/config.ts";
import type * as notify from "../../core/notify/config.ts";
import { paths, type Target as NoticeTarget } from "../../core/notify/target.ts";
import { type Credentials, isHere } from "../requests.ts";
import { secretSource } from "../secretfile.ts";
import type { Parsed } from "./schema.ts";

/** A target of requests; what is not on this machine goes through Tor, under `isolation`. */
export type TargetSpec = {
  readonly url: URL;
  readonly credentials: Credentials;
  readonly isolation: string | undefined;
};

/** A relation that does not hold, with the keys of the file. */
export type Relation = { readonly keys: readonly string[]; readonly says: string };

export type Env = Readonly<Record<string, string | undefined>>;

/** What is known of a target. */
export type Spec = {
  readonly key: string; readonly url: string; readonly isolation: string;
  readonly credentials: Credentials;
};

/** Puts a target into `targets`, unless nothing may lead there. */
export function target(
  parsed: Parsed, targets: Map<string, TargetSpec>, broken: Relation[], name: string, spec: Spec,
): void {
  const url = URL.canParse(spec.url) ? new URL(spec.url) : undefined;
  if (url === undefined) {
    return void broken.push({ keys: [spec.key], says: "this is no address" });
  }
  const isLocal = isHere(url.hostname);
  if (!isLocal && parsed.tor.socks === undefined) {
    const says = "it is not on this machine, and nothing leaves around Tor";
    return void broken.push({ keys: [spec.key, "tor.socks"], says });
  }
  const { credentials } = spec;
  targets.set(name, { url, credentials, isolation: isLocal ? undefined : spec.isolation });
}

/** How a target knows us; `text` names the secret, "" where there is none. */
export function credentialsOf(
  kind: "basic" | "bearer" | "gotify" | "path", text: string, key: string, env: Env,
  broken: Relation[],
): Credentials {
  if (text === "") return { kind: "none" };
  const source = secretSource(text, env);
  if (source !== undefined) return { kind, source };
  broken.push({ keys: [key], says: "this names no secret" });
  return { kind: "none" };
}

/** Whom notices are sent to. `base`: what the file does not say. */
export function noticesOf(
  parsed: Parsed, env: Env, targets: Map<string, TargetSpec>, broken: Relation[],
  base: notify.Config,
): notify.Config {
  const { notify: n } = parsed;
  const list: NoticeTarget[] = [];
  const add = (key: string, url: string, one: NoticeTarget, credentials: Credentials): void => {
    if (url === "") return;
    list.push(one);
    target(parsed, targets, broken, one.to, { key, url, isolation: "notify", credentials });
  };
  const secretOf = (kind: "bearer" | "gotify" | "path", text: string, key: string): Credentials =>
    credentialsOf(kind, text, key, env, broken);
  const common = (to: string) => ({ to, priorityMin: "low" as const });
  // Without its secret a notice would go where everybody can read it, or nowhere.
  const needs = (url: string, key: string, secret: string, of: string): void => {
    if (url !== "" && secret === "") broken.push({ keys: [key, of], says: "it needs its secret" });
  };
  add("notify.webhook", n.webhook, { ...common("webhook"), kind: "webhook", path: "/" },
    secretOf("bearer", n.webhook_auth, "notify.webhook_auth"));
  needs(n.ntfy, "notify.ntfy", n.ntfy_topic, "notify.ntfy_topic");
  add("notify.ntfy", n.ntfy, { ...common("ntfy"), kind: "ntfy", path: paths.ntfy },
    secretOf("path", n.ntfy_topic, "notify.ntfy_topic"));
  needs(n.gotify, "notify.gotify", n.gotify_token, "notify.gotify_token");
  add("notify.gotify", n.gotify, { ...common("gotify"), kind: "gotify", path: paths.gotify },
    secretOf("gotify", n.gotify_token, "notify.gotify_token"));
  needs(n.telegram_chat, "notify.telegram_chat", n.telegram_token, "notify.telegram_token");
  const telegram = n.telegram_chat === "" ? "" : "https://api.telegram.org";
  add("notify.telegram_chat", telegram, {
    ...common("telegram"), kind: "telegram", path: paths.telegram, chat: n.telegram_chat,
  }, secretOf("path", n.telegram_token, "notify.telegram_token"));
  if (n.exec.length > 0) list.push({ ...common("exec"), kind: "exec" });
  const { amounts, nicks, txids } = n;
  const privacy = { ...base.privacy, amounts, nicks, txids };
  const label = n.label === makerDefaults.label ? base.label : n.label;
  return { ...base, label, privacy, targets: list };
}
