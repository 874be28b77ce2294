import assert from "node:assert/strict";
import { test } from "node:test";
import * as faults from "../../../core/tor/faults.ts";

test("tor: faults: each tells the operator what to look at", () => {
  const tells = (fault: { readonly text: string }, words: RegExp): void =>
    assert.match(fault.text, words);
  tells(faults.noCookie("denied", "/run/tor/c"), /\/run\/tor\/c.*debian-tor.*GroupReadable/);
  tells(faults.noCookie("absent", "/run/tor/c"), /set the path/);
  tells(faults.noCookie("malformed", "/run/tor/c"), /32 bytes/);
  tells(faults.noCookie("failed", "/run/tor/c"), /cannot be read/);
  tells(faults.noMethod(true), /HashedControlPassword/);
  tells(faults.noMethod(false), /CookieAuthentication/);
  tells(faults.refused("HASHEDPASSWORD"), /password/);
  tells(faults.refused("SAFECOOKIE"), /cookie/);
  tells(faults.undialed("refused"), /ControlPort/);
  tells(faults.late("drawing"), /host/);
  tells(faults.late("proving"), /Tor's control port/);
  tells(faults.noPassword("absent"), /password/);
});

test("tor: faults: codes are kebab-case and tell reasons apart", () => {
  const all = [
    faults.unwanted, faults.closed, faults.unasked, faults.tooMany, faults.noPath, faults.stranger,
    faults.undialed("refused"), faults.undialed("timeout"), faults.noMethod(true),
    faults.noCookie("absent", ""), faults.noCookie("denied", ""), faults.noPassword("denied"),
    faults.refused("COOKIE"), faults.late("ready"),
  ];
  for (const { code } of all) assert.match(code, /^control(-[a-z]+)+$/);
  assert.equal(new Set(all.map((fault) => fault.code)).size, all.length);
});
