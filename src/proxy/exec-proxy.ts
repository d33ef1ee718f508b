// The proxy of `salvia exec`: HTTP/1.1 with CONNECT on a random loopback port. AWS's hosts are answered here, with certificates of the
// local authority, by asking the Salvia server under the name that the client called; other hosts get a tunnel.
import { timingSafeEqual } from "node:crypto";
import { Agent, createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { Authority } from "./authority.ts";
import { answerProblem, endToEndHeaders, forward } from "./forward.ts";
import { parseAuthority, type Destination, type Outward } from "./outward.ts";

export interface ExecProxyOptions {
  /** http://host:port of the Salvia server. */
  readonly serverUrl: string;
  readonly authority: Authority;
  readonly outward: Outward;
  readonly user: string;
  readonly password: string;
  /** Hosts that Salvia answers for. */
  isAws(host: string): boolean;
  /** Credentials in the form of an ECS container's, for AWS_CONTAINER_CREDENTIALS_FULL_URI; asked again before they expire. */
  readonly credentials?: () => Promise<object>;
}

export interface ExecProxy {
  readonly port: number;
  /** http://user:password@127.0.0.1:port */
  readonly url: string;
  /** Cuts every connection. */
  close(): Promise<void>;
}

/** Where credentials are answered, with the proxy's own Basic authorization in AWS_CONTAINER_AUTHORIZATION_TOKEN. */
export const credentialsPath = "/credentials";

/** Uploads take as long as they take; a client may keep a connection for as long as it likes. */
const serverOptions = {
  requestTimeout: 0,
  headersTimeout: 60_000,
  keepAliveTimeout: 75_000,
  maxHeaderSize: 64 * 1_024,
};

class Proxy {
  readonly #options: ExecProxyOptions;
  readonly #expected: Buffer;
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 64, timeout: 0 });
  readonly #sockets = new Set<Duplex>();
  readonly #outer: Server;
  /** Reads what comes out of the tunnels to AWS's hosts; listens nowhere. */
  readonly #inner: Server;

  constructor(options: ExecProxyOptions) {
    this.#options = options;
    this.#expected = Buffer.from(`Basic ${Buffer.from(`${options.user}:${options.password}`).toString("base64")}`);
    this.#outer = createServer(serverOptions);
    this.#outer.on("connection", (socket) => this.#keep(socket));
    this.#outer.on("connect", (message, socket, head) => void this.#connect(message, socket, head));
    this.#outer.on("request", (message, response) => this.#plain(message, response, false));
    this.#outer.on("checkContinue", (message, response) => this.#plain(message, response, true));
    this.#inner = createServer(serverOptions);
    this.#inner.on("request", (message, response) => this.#toSalvia(message, response, false));
    this.#inner.on("checkContinue", (message, response) => this.#toSalvia(message, response, true));
  }

  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#outer.once("error", reject);
      this.#outer.listen(0, "127.0.0.1", () => resolve((this.#outer.address() as AddressInfo).port));
    });
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#outer.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    this.#agent.destroy();
    await closed;
  }

  #keep(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    socket.on("error", () => socket.destroy());
  }

  #mayPass(authorization: string | undefined): boolean {
    const given = Buffer.from(authorization ?? "");
    return given.length === this.#expected.length && timingSafeEqual(given, this.#expected);
  }

  async #connect(message: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    if (!this.#mayPass(message.headers["proxy-authorization"])) {
      refuse(socket, "407 Proxy Authentication Required", 'Proxy-Authenticate: Basic realm="salvia exec"\r\n');
      return;
    }
    const to = parseAuthority(message.url ?? "", 443);
    if (!to) {
      refuse(socket, "400 Bad Request");
      return;
    }
    if (head.length > 0) socket.unshift(head);
    if (this.#options.isAws(to.host)) this.#answerFor(to, socket);
    else await this.#tunnel(to, socket);
  }

  #answerFor({ host }: Destination, socket: Duplex): void {
    const secureContext = this.#options.authority.contextFor(host.toLowerCase().replace(/\.$/, ""));
    socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
    socket.once("data", (first: Buffer) => {
      socket.pause();
      socket.unshift(first);
      // 22: a TLS handshake. Some clients send plain HTTP through a tunnel to port 80.
      if (first[0] !== 22) {
        this.#inner.emit("connection", socket);
        socket.resume();
        return;
      }
      const secure = new TLSSocket(socket as Socket, { isServer: true, secureContext, ALPNProtocols: ["http/1.1"] });
      this.#keep(secure);
      this.#inner.emit("connection", secure);
    });
  }

  async #tunnel(to: Destination, socket: Duplex): Promise<void> {
    let outside: Socket;
    try {
      outside = await this.#options.outward.tunnel(to);
    } catch {
      // The client reports the status with the host; a body would be shown by none.
      refuse(socket, "502 Bad Gateway");
      return;
    }
    this.#keep(outside);
    if (socket.destroyed) {
      outside.destroy();
      return;
    }
    endWith(socket, outside);
    endWith(outside, socket);
    socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
    socket.pipe(outside);
    outside.pipe(socket);
  }

  /** GET http://host/path: plain HTTP through the proxy. */
  #plain(message: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    if (message.url === credentialsPath) {
      void this.#answerCredentials(message, response);
      return;
    }
    if (!this.#mayPass(message.headers["proxy-authorization"])) {
      response.setHeader("proxy-authenticate", 'Basic realm="salvia exec"');
      answerProblem(response, 407, "This proxy asks for the password in HTTPS_PROXY.");
      return;
    }
    const [, authority = "", rest = ""] = /^http:\/\/([^/?#]+)(.*)$/i.exec(message.url ?? "") ?? [];
    const to = parseAuthority(authority.replace(/^.*@/, ""), 80);
    if (!to) {
      answerProblem(response, 400, "Only http:// addresses and CONNECT are understood.");
      return;
    }
    const path = rest.startsWith("/") ? rest : `/${rest}`;
    if (this.#options.isAws(to.host)) {
      message.url = path;
      this.#toSalvia(message, response, expectsContinue);
      return;
    }
    const headers = endToEndHeaders(message.rawHeaders);
    forward(this.#options.outward.send(to, message.method ?? "GET", path, headers), {
      message,
      response,
      expectsContinue,
      unreachable: (error) => `${to.host} cannot be reached: ${error.message}`,
    });
  }

  #toSalvia(message: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const { hostname, port } = new URL(this.#options.serverUrl);
    const asked = request({
      host: hostname.replace(/^\[|\]$/g, ""),
      port,
      method: message.method,
      path: message.url,
      headers: endToEndHeaders(message.rawHeaders),
      setHost: false,
      agent: this.#agent,
    });
    forward(asked, {
      message,
      response,
      expectsContinue,
      unreachable: (error) => `The Salvia server at ${this.#options.serverUrl} does not answer: ${error.message}`,
    });
  }

  async #answerCredentials(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const { credentials } = this.#options;
    if (!credentials || !this.#mayPass(message.headers.authorization)) {
      answerProblem(response, credentials ? 401 : 404, "No credentials without the token.");
      return;
    }
    try {
      const body = JSON.stringify(await credentials());
      response.writeHead(200, { "content-type": "application/json" });
      response.end(body);
    } catch (error) {
      answerProblem(response, 500, `No session could be made: ${String(error)}`);
    }
  }
}

/** When `one` is gone, so is `other`, once it has written what is on its way. */
function endWith(one: Duplex, other: Duplex): void {
  one.once("close", () => {
    if (!one.readableEnded || other.writableFinished) {
      other.destroy();
      return;
    }
    other.once("finish", () => other.destroy());
    other.end();
  });
}

function refuse(socket: Duplex, status: string, headers = ""): void {
  socket.end(`HTTP/1.1 ${status}\r\n${headers}Connection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** Starts the proxy on a free port of 127.0.0.1. */
export async function startExecProxy(options: ExecProxyOptions): Promise<ExecProxy> {
  const proxy = new Proxy(options);
  const port = await proxy.listen();
  return {
    port,
    url: `http://${options.user}:${options.password}@127.0.0.1:${port}`,
    close: () => proxy.close(),
  };
}
