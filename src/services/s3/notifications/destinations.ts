// Where events go: topics, queues and functions are names here, each with a webhook behind it.

export interface Webhook {
  /** Of a topic, queue or function; undefined: of all that have no webhook of their own. */
  readonly arn: string | undefined;
  readonly url: string;
}

/** Settings: "ARN=URL", or "URL" for all others. */
export const webhooksOf = (settings: readonly string[]): readonly Webhook[] =>
  settings.map((setting) => {
    const [, arn, url = setting] = /^(arn:[^=]+)=(.+)$/s.exec(setting) ?? [];
    return { arn, url };
  });

export interface Destinations {
  /** True: nothing can be configured, so nothing need be looked up. */
  readonly isEmpty: boolean;
  urlOf(arn: string): string | undefined;
}

export function destinationsOf(webhooks: readonly Webhook[]): Destinations {
  const urls = new Map(webhooks.map(({ arn, url }) => [arn, url]));
  return { isEmpty: urls.size === 0, urlOf: (arn) => urls.get(arn) ?? urls.get(undefined) };
}
