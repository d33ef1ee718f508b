// Which host names are AWS's API endpoints, as salvia exec takes them: everything below the domains that the SDKs' endpoint rules name.

/** The local authority may sign for these and what is below them, and for nothing else. */
export const awsDomains = ["amazonaws.com", "amazonaws.com.cn", "api.aws"] as const;

/** `passed`: names that are AWS's but go to the real network; an entry that begins with a dot covers what is below it. */
export function awsHosts(passed: readonly string[] = []): (host: string) => boolean {
  return (host) => {
    const name = host.toLowerCase().replace(/\.$/, "");
    if (!awsDomains.some((domain) => name.endsWith(`.${domain}`))) return false;
    return !passed.some((entry) => (entry.startsWith(".") ? name.endsWith(entry) : name === entry));
  };
}
