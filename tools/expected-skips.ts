// Tests that CI may skip. Everything else that is skipped where CI has installed what it needs has failed (SALVIA_TEST_STRICT=1).

/** What a skipped test says of itself, and why CI cannot help it. */
const expectedSkips: readonly (readonly [RegExp, string])[] = [
  [/\.\.\/shared\/data/, "the real data lies beside the checkout, not in it"],
  [/terraform/i, "Terraform is in none of the package registries"],
  [/needs (?:fallocate|\/dev\/shm|\/dev\/full)/, "a trait of the machine's file systems"],
  [/this machine has (?:a GPU|as many GPUs)/, "what is asked there is the refusal of devices that are missing"],
];

/** False: the skip counts as a failure. */
export const mayBeSkipped = (told: string, isStrict: boolean = process.env["SALVIA_TEST_STRICT"] === "1"): boolean =>
  !isStrict || expectedSkips.some(([pattern]) => pattern.test(told));
