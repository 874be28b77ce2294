/**
 * Reports for programs of others: JUnit's XML and GitHub's workflow commands.
 * @module
 */

/** One thing that was checked. `says`: what is wrong; absent when nothing is. */
export type Case = {
  readonly name: string;
  readonly says: string | undefined;
  readonly more: readonly string[];
};

/** A JUnit document. */
export function junitText(suite: string, cases: readonly Case[], ms: number): string {
  const failures = cases.filter(({ says }) => says !== undefined).length;
  const counts = `tests="${cases.length}" failures="${failures}" errors="0" skipped="0"`;
  const time = `time="${(ms / 1_000).toFixed(3)}"`;
  return [
    `<?xml version="1.0" encoding="UTF-8"?>`,
    `<testsuites ${counts} ${time}>`,
    `  <testsuite name="${xml(suite)}" ${counts} ${time}>`,
    ...cases.map((one) => caseText(one, suite)),
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

function caseText({ name, says, more }: Case, suite: string): string {
  const head = `    <testcase classname="${xml(suite)}" name="${xml(name)}"`;
  if (says === undefined) return `${head}/>`;
  const text = [says, ...more].join("\n");
  return `${head}>\n      <failure message="${xml(says)}">${xml(text)}</failure>\n    </testcase>`;
}

/** Control characters have no place in XML 1.0. */
function xml(text: string): string {
  return text.replaceAll(/[^\t\n\x20-\ud7ff\ue000-\ufffd]/g, "?").replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** Annotations of a GitHub workflow run. */
export function githubText(cases: readonly Case[]): string {
  return cases.filter(({ says }) => says !== undefined).map(({ name, says, more }) => {
    const text = [says ?? "", ...more].join("\n");
    return `::error title=${property(name)}::${data(text)}\n`;
  }).join("");
}

function data(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
