// The way to hosts that are not AWS's: the proxy that the user's environment names, with its credentials, or directly where
// NO_PROXY says so. The variables' meaning is curl's and Go's (golang.org/x/net/http/httpproxy), whose readings agree here.
import { request, type ClientRequest, type OutgoingHttpHeaders } from "node:http";
import { request as requestSecurely } from "node:https";
import { BlockList, connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

export interface Destination {
  readonly host: string;
  readonly port: number;
}

interface ParentProxy extends Destination {
  readonly isSecure: boolean;
  readonly authorization: string | undefined;
}

export interface Outward {
  /** A connection to the destination, through the parent proxy where one is set. Rejects with the network's error. */
  tunnel(to: Destination): Promise<Socket>;
  /** A plain HTTP request to http://host:port/path. Headers as pairs in one flat list. */
  send(to: Destination, method: string, path: string, headers: readonly string[]): ClientRequest;
}

type Variables = Readonly<Record<string, string | undefined>>;

const variable = (variables: Variables, name: string): string | undefined =>
  variables[name.toLowerCase()] || variables[name] || undefined;

/** The parent proxy cannot be used. */
export class ParentProxyError extends Error {}

function parentProxy(text: string | undefined): ParentProxy | undefined {
  if (text === undefined) return undefined;
  const address = /^[a-z0-9+.-]+:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(address)) throw new ParentProxyError("the proxy in HTTPS_PROXY or HTTP_PROXY is no address");
  const { protocol, hostname, port, username, password } = new URL(address);
  if (protocol !== "http:" && protocol !== "https:")
    throw new ParentProxyError(`a proxy of the kind ${protocol}// cannot be chained: only http:// and https:// can`);
  const isSecure = protocol === "https:";
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return {
    host: hostname.replace(/^\[|\]$/g, ""),
    port: port === "" ? (isSecure ? 443 : 80) : Number(port),
    isSecure,
    authorization: username === "" ? undefined : `Basic ${Buffer.from(login).toString("base64")}`,
  };
}

const isLoopback = (host: string): boolean => /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|::1)$/i.test(host);

type Matcher = (to: Destination) => boolean;

function networkMatcher(entry: string): Matcher | undefined {
  const [, address = "", prefix] = /^([0-9a-f.:]+)\/(\d+)$/i.exec(entry) ?? [];
  const version = isIP(address);
  if (version === 0) return undefined;
  const network = new BlockList();
  network.addSubnet(address, Number(prefix), version === 6 ? "ipv6" : "ipv4");
  return ({ host }) => isIP(host) === version && network.check(host, version === 6 ? "ipv6" : "ipv4");
}

function matcherOf(entry: string): Matcher {
  if (entry === "*") return () => true;
  const network = networkMatcher(entry);
  if (network) return network;
  const [, name = entry, port] = /^\[?([^\]]+?)\]?(?::(\d+))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry) ?? [];
  const bare = name.replace(/^\*?\./, "");
  return (to) => (to.host === bare || to.host.endsWith(`.${bare}`)) && (port === undefined || Number(port) === to.port);
}

/** Whether NO_PROXY sends the destination past the proxy. Loopback always goes directly. */
export function bypass(noProxy: string | undefined): Matcher {
  const matchers = (noProxy ?? "")
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(matcherOf);
  return ({ host, port }) => {
    const to = { host: host.toLowerCase().replace(/\.$/, ""), port };
    return isLoopback(to.host) || matchers.some((matches) => matches(to));
  };
}

/** `[host]:port` of CONNECT and of Host headers. */
export function parseAuthority(text: string, defaultPort: number): Destination | undefined {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-f:.]+)\]|([^:@/\s[\]]+))(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const host = bracketed ?? plain;
  const number = port === undefined ? defaultPort : Number(port);
  return host === undefined || number < 1 || number > 65_535 ? undefined : { host, port: number };
}

const authorityText = ({ host, port }: Destination): string => `${host.includes(":") ? `[${host}]` : host}:${port}`;

const open = (to: Destination, isSecure: boolean): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = isSecure
      ? connectTls({ host: to.host, port: to.port, ...(isIP(to.host) === 0 ? { servername: to.host } : {}) })
      : connect({ host: to.host, port: to.port, noDelay: true, keepAlive: true });
    socket.once("error", reject);
    socket.once(isSecure ? "secureConnect" : "connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });

async function tunnelThrough(parent: ParentProxy, to: Destination): Promise<Socket> {
  const wire = await open(parent, parent.isSecure);
  const headers: OutgoingHttpHeaders = { host: authorityText(to) };
  if (parent.authorization !== undefined) headers["proxy-authorization"] = parent.authorization;
  return new Promise((resolve, reject) => {
    const asked = request({ method: "CONNECT", path: authorityText(to), headers, createConnection: () => wire });
    asked.once("error", reject);
    asked.once("connect", (answer, socket, head) => {
      asked.off("error", reject);
      if (answer.statusCode !== 200) {
        socket.destroy();
        reject(new Error(`the proxy ${parent.host} answered ${answer.statusCode} for ${authorityText(to)}`));
        return;
      }
      if (head.length > 0) socket.unshift(head);
      resolve(wire);
    });
    asked.end();
  });
}

/** `variables`: the user's environment, as it was before exec put its own proxy there. Throws ParentProxyError. */
export function outward(variables: Variables): Outward {
  const all = variable(variables, "ALL_PROXY");
  const forTunnels = parentProxy(variable(variables, "HTTPS_PROXY") ?? all);
  // The upper-case HTTP_PROXY counts here: no request header can set it, as it could in a CGI program.
  const forPlain = parentProxy(variable(variables, "HTTP_PROXY") ?? all);
  const goesDirectly = bypass(variable(variables, "NO_PROXY"));
  return {
    tunnel: (to) => (forTunnels && !goesDirectly(to) ? tunnelThrough(forTunnels, to) : open(to, false)),
    send: (to, method, path, headers) => {
      if (!forPlain || goesDirectly(to)) {
        return request({
          host: to.host,
          port: to.port,
          method,
          path,
          headers: [...headers],
          setHost: false,
          agent: false,
        });
      }
      const { authorization, isSecure } = forPlain;
      return (isSecure ? requestSecurely : request)({
        host: forPlain.host,
        port: forPlain.port,
        method,
        path: `http://${authorityText(to).replace(/:80$/, "")}${path}`,
        headers: [...headers, ...(authorization === undefined ? [] : ["Proxy-Authorization", authorization])],
        setHost: false,
        agent: false,
      });
    },
  };
}
