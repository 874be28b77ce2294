import assert from "node:assert/strict";
import { test } from "node:test";
import { firstStop, Onwards, quiet, type Server } from "../../adapters/grpc-channel.ts";
import { secret } from "../../core/secret.ts";

const as = { user: "u", password: secret(new Uint8Array(1)) };
const server = (url: string, proxy?: Server["proxy"]): Server => ({ url: new URL(url), proxy });

test("grpc channel: the first stop is the server, or the proxy where there is one", () => {
  const cases: readonly (readonly [Server, string])[] = [
    [server("http://127.0.0.1:3535"), "ipv4:127.0.0.1:3535"],
    [server("http://localhost:3535"), "ipv4:127.0.0.1:3535"],
    [server("https://[::1]"), "ipv6:[::1]:443"],
    [server("http://ark.example"), "dns:///ark.example:80"],
    [server("https://ark.example", { at: { kind: "unix", path: "/run/tor" }, as }),
      "unix:/run/tor"],
    [server("https://ark.example", { at: { kind: "tcp", host: "::1", port: 9_050 }, as }),
      "ipv6:[::1]:9050"],
  ];
  for (const [one, expected] of cases) assert.equal(firstStop(one), expected);
});

test("grpc channel: the server hears its own name", () => {
  const options = quiet(server("https://ark.example:8443"));
  assert.equal(options["grpc.default_authority"], "ark.example:8443");
  assert.equal(options["grpc.enable_http_proxy"], 0);
});

test("grpc channel: one client connects once", async () => {
  const onwards = new Onwards(server("https://ark.example"), () => undefined);
  assert.ok(onwards._isSecure());
  assert.ok(onwards._equals(onwards.compose()));
  assert.ok(!onwards._equals(new Onwards(onwards.server, () => undefined)));
  const connector = onwards._createSecureConnector();
  await connector.waitForReady();
  await assert.rejects(connector.waitForReady());
});
