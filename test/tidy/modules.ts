/**
 * Loads modules of the core by their path in the repository, from source or from compiled output
 * alike.
 * @module
 */

/** The module `core/x.ts`; under coverage its compiled twin. */
export async function load(file: string): Promise<Readonly<Record<string, unknown>>> {
  const compiled = import.meta.url.endsWith(".js");
  const name = compiled ? file.replace(/\.ts$/, ".js") : file;
  const loaded: unknown = await import(new URL(`../../${name}`, import.meta.url).href);
  return loaded as Readonly<Record<string, unknown>>;
}
