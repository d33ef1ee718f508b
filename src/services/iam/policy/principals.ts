// Who a caller is to the policies: its policies compiled, the role behind a session, its tags. Remembered for a few seconds.
import type { Store } from "../../../database/store.ts";
import type { Clock } from "../../../lib/clock.ts";
import type { Caller } from "../../service.ts";
import { policiesOf } from "../principal-policies.ts";
import { findRole, findRoleByArn, roleArn, type RoleRow } from "../roles.ts";
import { findUser, userNameOf, type UserRow } from "../users.ts";
import type { NamedPolicy, PoliciesInForce, Principal } from "./evaluate.ts";
import type { PolicyCache } from "./policy-cache.ts";
import { Recent } from "./recent.ts";
import type { Tags } from "./request-keys.ts";

export interface KnownPrincipal {
  readonly principal: Principal;
  readonly policies: Pick<PoliciesInForce, "identity" | "boundary" | "session">;
  readonly tags: Tags;
}

interface PrincipalsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly canonicalUserId: (account: string) => string;
}

/** What an ARN alone tells; what a session carries comes with its caller. */
interface Known {
  readonly policies: Pick<PoliciesInForce, "identity" | "boundary">;
  readonly roleArn: string | undefined;
  readonly tags: Tags;
}

const sessionName = "SageMaker";

const anonymous: KnownPrincipal = {
  principal: { account: undefined, arn: "anonymous", userId: "anonymous" },
  policies: { identity: [] },
  tags: [],
};

export class Principals {
  readonly #options: PrincipalsOptions;
  readonly #compiled: PolicyCache;
  readonly #known: Recent<Known>;

  constructor(options: PrincipalsOptions, compiled: PolicyCache) {
    this.#options = options;
    this.#compiled = compiled;
    this.#known = new Recent(options.clock);
  }

  forget(): void {
    this.#known.forget();
  }

  async ofCaller({ account, arn, userId, accessKeyId, ...rest }: Caller): Promise<KnownPrincipal> {
    if (accessKeyId === "") return anonymous;
    const { policies, roleArn: role, tags } = await this.#of(account, rest.sourceArn ?? arn);
    const session = this.#session(rest.sessionPolicies);
    const canonicalUserId = this.#options.canonicalUserId(account);
    return {
      principal: { account, arn, userId, roleArn: role, canonicalUserId },
      policies: { ...policies, session },
      // The session's own come first.
      tags: rest.sessionTags ? [...rest.sessionTags, ...tags] : tags,
    };
  }

  /** A session that SageMaker makes of the role; undefined: there is no such role. */
  async ofRole(arn: string): Promise<KnownPrincipal | undefined> {
    const role = await findRoleByArn(this.#options.store.read, arn);
    if (!role) return undefined;
    const { account, name, uid } = role;
    return this.ofCaller({
      account,
      arn: `arn:aws:sts::${account}:assumed-role/${name}/${sessionName}`,
      userId: `${uid}:${sessionName}`,
      accessKeyId: "ASIA",
    });
  }

  #session(documents: readonly string[] | undefined): readonly NamedPolicy[] | undefined {
    return documents?.map((document, at) => this.#compiled.compile(`session policy ${at + 1}`, document));
  }

  #of(account: string, arn: string): Promise<Known> {
    // Sessions of one role share its policies.
    const key = arn.replace(/(:assumed-role\/[^/]+)\/.*$/, "$1");
    return this.#known.get(key, () => this.#look(account, arn));
  }

  async #user(account: string, arn: string): Promise<UserRow | undefined> {
    const name = userNameOf(arn);
    return name === undefined ? undefined : findUser(this.#options.store.read, account, name);
  }

  async #look(account: string, arn: string): Promise<Known> {
    const { read } = this.#options.store;
    const { identity, boundary } = await policiesOf(read, account, arn);
    const [, roleName] = /:assumed-role\/([^/]+)\//.exec(arn) ?? [];
    const role: RoleRow | undefined = roleName === undefined ? undefined : await findRole(read, account, roleName);
    const user = await this.#user(account, arn);
    return {
      policies: {
        identity: identity.map(({ name, document }) => this.#compiled.compile(name, document)),
        ...(boundary && { boundary: this.#compiled.compile(boundary.name, boundary.document) }),
      },
      roleArn: role && roleArn(role),
      tags: JSON.parse((role ?? user)?.tags ?? "[]") as Tags,
    };
  }
}
