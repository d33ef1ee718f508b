// Compiled policies by their text: the same few documents decide nearly every request.
import type { Log } from "../../../lib/log.ts";
import type { NamedPolicy } from "./evaluate.ts";
import { compilePolicy, PolicyProblem, type Policy } from "./policy-document.ts";

const maxPolicies = 1_000;

/** What cannot be read may have been meant to deny: then nobody but root passes until somebody mends it. */
const denying: Policy = compilePolicy(
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Sid: "Unreadable", Effect: "Deny", Action: "*", Resource: "*" }],
  }),
);

export class PolicyCache {
  readonly #log: Log;
  readonly #compiled = new Map<string, Policy>();

  constructor(log: Log) {
    this.#log = log;
  }

  compile(name: string, document: string): NamedPolicy {
    const known = this.#compiled.get(document);
    if (known) return { name, policy: known };
    const policy = this.#read(name, document);
    if (this.#compiled.size >= maxPolicies) this.#compiled.clear();
    this.#compiled.set(document, policy);
    return { name, policy };
  }

  #read(name: string, document: string): Policy {
    try {
      return compilePolicy(document);
    } catch (error) {
      if (!(error instanceof PolicyProblem)) throw error;
      this.#log.warn("a stored policy cannot be read and denies everything", { policy: name, problem: error.message });
      return denying;
    }
  }
}
