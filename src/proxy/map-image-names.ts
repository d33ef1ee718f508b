// What the docker shim changes in docker's arguments: images of an ECR registry become images of Salvia's, since dockerd does not
// go through the client's proxy. docker takes registries on localhost without TLS. ECR's host stays as the first part of the path:
// it says which account and region are meant, whatever was logged in to last, and is what repositoryUri says, too.

const registryName =
  /^(?:https?:\/\/)?(\d{12})\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?(\/(?=.)|(?=\/?$))/;

/** With what stands before it: --tag=…, or the name of a build argument. */
const prefixed = /^((?:--[a-z-]+=)?(?:[A-Za-z_]\w*=)?)(.*)$/s;

const mapped = (argument: string, registry: string): string => {
  const [, before = "", value = argument] = prefixed.exec(argument) ?? [];
  return (
    before +
    value.replace(registryName, (_, account: string, region: string, slash: string) =>
      slash === "" ? registry : `${registry}/${account}.dkr.ecr.${region}.amazonaws.com/`,
    )
  );
};

/** One name, as in a Dockerfile. */
export const mapImageName = (name: string, registry: string): string => mapped(name, registry);

/** docker logs in to hosts alone. */
const mappedHost = (argument: string, registry: string): string => (registryName.test(argument) ? registry : argument);

/** Options of `docker run` and `docker create` that take no value; every other takes one. */
const switches = new Set([
  "--detach",
  "--disable-content-trust",
  "--help",
  "--init",
  "--interactive",
  "--no-healthcheck",
  "--oom-kill-disable",
  "--privileged",
  "--publish-all",
  "--quiet",
  "--read-only",
  "--rm",
  "--sig-proxy",
  "--tty",
  "--use-api-socket",
]);

const takesValue = (option: string): boolean => {
  if (option.includes("=") || switches.has(option)) return false;
  if (option.startsWith("--")) return true;
  // -it, -dP; -p 80:80, -e NAME=value, -v/a:/b (with its value in the same word).
  return /^-[ditPq]*[^ditPq]$/.test(option);
};

/** Options before the command: docker --context NAME run … */
const globalValues = new Set([
  "--config",
  "--context",
  "-c",
  "--host",
  "-H",
  "--log-level",
  "-l",
  "--tlscacert",
  "--tlscert",
  "--tlskey",
]);

function firstWord(args: readonly string[], from: number, needsValue: (option: string) => boolean): number {
  let at = from;
  while (at < args.length) {
    const word = args[at] ?? "";
    if (word === "--") return at + 1;
    if (!word.startsWith("-") || word === "-") return at;
    at += needsValue(word) ? 2 : 1;
  }
  return at;
}

const imageCommands = new Set([
  "pull",
  "push",
  "tag",
  "build",
  "buildx",
  "images",
  "image",
  "rmi",
  "inspect",
  "history",
  "save",
  "commit",
  "import",
  "manifest",
  "login",
  "logout",
]);

/** The place of docker's command among its arguments. */
export const commandAt = (args: readonly string[]): number => firstWord(args, 0, (option) => globalValues.has(option));

/** Docker's arguments with ECR's registries replaced by `registry` (host:port). What a container is told stays as it is. */
export function mapImageNames(args: readonly string[], registry: string): string[] {
  let at = commandAt(args);
  if (args[at] === "container") at++;
  const command = args[at] ?? "";
  if (command === "run" || command === "create") {
    const image = firstWord(args, at + 1, takesValue);
    return args.map((argument, index) => (index === image ? mapped(argument, registry) : argument));
  }
  if (!imageCommands.has(command)) return [...args];
  const map = command === "login" || command === "logout" ? mappedHost : mapped;
  return args.map((argument, index) => (index > at ? map(argument, registry) : argument));
}
