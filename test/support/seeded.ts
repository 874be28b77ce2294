/**
 * Loaded before every test file: with PROPERTY_SEED=N in the environment all properties draw from
 * this seed, so that a run can be repeated; without it each draws its own and names it if it fails.
 * @module
 */
import fc from "fast-check";

const seed = process.env["PROPERTY_SEED"];
if (seed !== undefined) {
  const isNumber = /^[0-9]{1,9}$/.test(seed);
  if (!isNumber) throw new Error(`PROPERTY_SEED=${seed} is no number to 999999999`);
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(seed) });
}
