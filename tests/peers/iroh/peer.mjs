// iroh as a peer of the interop tests: an end point that echoes what it gets, or one that sends and compares.
// See README.md for the commands. Relays and discovery are off: it talks to the addresses that it is given.
import { createRequire } from "node:module";
import { parseArgs } from "node:util";

const iroh = createRequire(import.meta.url)("@number0/iroh");
const { positionals, values: options } = parseArgs({
  allowPositionals: true,
  options: {
    bind: { type: "string", multiple: true, default: ["127.0.0.1:0"] },
    key: { type: "string" }, // the other side's public key, 64 hexadecimal digits
    address: { type: "string", multiple: true, default: [] },
    alpn: { type: "string", default: "interop" },
    streams: { type: "string", default: "1" },
    size: { type: "string", default: "1000" },
    datagrams: { type: "string", default: "0" },
    paths: { type: "string", default: "1" }, // the client waits for so many before it sends
    sessions: { type: "string", default: "1" },
    log: { type: "boolean", default: false },
  },
});

const say = (...words) => console.log(words.join(" "));
const bytes = (text) => [...Buffer.from(text)];

if (options.log) {
  iroh.setLogLevel("Debug");
}

async function open() {
  const builder = iroh.Endpoint.builder();
  iroh.presetMinimal(builder);
  builder.alpns([bytes(options.alpn)]);
  builder.relayMode(iroh.RelayMode.disabled());
  for (const address of options.bind) {
    builder.bindAddr(address);
  }

  return builder.bind();
}

// The package's own watchPaths aborts the process (1.1.0: "there is no reactor running"), so that the paths are asked for.
function sayPaths(connection) {
  let known = new Set();
  const timer = setInterval(() => {
    const now = connection.paths().map((path) => path.remoteAddr);
    for (const address of now.filter((one) => !known.has(one))) {
      say("path", address);
    }

    known = new Set(now);
  }, 20);
  connection.closed().finally(() => clearInterval(timer));
}

async function echo(connection) {
  sayPaths(connection);
  const bidirectional = async () => {
    for (;;) {
      const stream = await connection.acceptBi();
      (async () => {
        const data = await stream.recv.readToEnd(64 << 20);
        await stream.send.writeAll(data);
        await stream.send.finish();
      })().catch((error) => say("stream failed:", error.message));
    }
  };
  const unidirectional = async () => {
    for (;;) {
      const inbound = await connection.acceptUni();
      (async () => {
        const data = await inbound.readToEnd(64 << 20);
        const outbound = await connection.openUni();
        await outbound.writeAll(data);
        await outbound.finish();
      })().catch((error) => say("stream failed:", error.message));
    }
  };
  const datagrams = async () => {
    for (;;) {
      connection.sendDatagram(await connection.readDatagram());
    }
  };
  const until = (task) => task().catch(() => {});
  until(bidirectional);
  until(unidirectional);
  until(datagrams);
  const reason = await connection.closed();
  const stats = connection.stats();
  say("closed", reason);
  say("received", stats.udpRxDatagrams, "datagrams");
}

async function server() {
  const endpoint = await open();
  say("key", Buffer.from(endpoint.id().toBytes()).toString("hex"));
  for (const address of endpoint.boundSockets()) {
    say("listening", address);
  }

  for (;;) {
    const incoming = await endpoint.acceptNext();
    if (incoming === null) {
      return;
    }

    (async () => {
      const connection = await (await incoming.accept()).connect();
      say("connected", Buffer.from(connection.remoteId().toBytes()).toString("hex"));
      await echo(connection);
    })().catch((error) => say("failed:", error.message));
  }
}

async function waitForPaths(connection, count) {
  for (let tries = 0; tries < 300; tries++) {
    const paths = connection.paths();
    if (paths.length >= count) {
      return paths;
    }

    await new Promise((resolve) => setTimeout(resolve, 50));
  }

  throw new Error(`only ${connection.paths().length} of ${count} paths came up`);
}

async function client() {
  const endpoint = await open();
  say("key", Buffer.from(endpoint.id().toBytes()).toString("hex"));
  const id = iroh.EndpointId.fromBytes([...Buffer.from(options.key, "hex")]);
  const target = new iroh.EndpointAddr(id, null, options.address);
  for (let session = 0; session < Number(options.sessions); session++) {
    const connection = await endpoint.connect(target, bytes(options.alpn));
    say("connected", Buffer.from(connection.remoteId().toBytes()).toString("hex"));
    sayPaths(connection);
    for (const path of await waitForPaths(connection, Number(options.paths))) {
      say("has path", path.remoteAddr);
    }

    await Promise.all(Array.from({ length: Number(options.streams) }, async (_, number) => {
      const data = Array.from({ length: Number(options.size) }, (_, i) => (i * 7 + number) & 0xff);
      const stream = await connection.openBi();
      await stream.send.writeAll(data);
      await stream.send.finish();
      const answer = await stream.recv.readToEnd(64 << 20);
      if (answer.length !== data.length || answer.some((value, i) => value !== data[i])) {
        throw new Error(`stream ${number} came back changed: ${answer.length} of ${data.length} bytes`);
      }
    }));
    say("streams", options.streams);
    for (let number = 0; number < Number(options.datagrams); number++) {
      connection.sendDatagram(bytes(`datagram ${number}`));
      say("datagram", Buffer.from(await connection.readDatagram()).toString());
    }

    for (const path of connection.paths()) {
      say("used", path.remoteAddr, path.stats.udpTxBytes, path.stats.udpRxBytes);
    }

    connection.close(7n, bytes("done"));
    say("done");
  }

  await endpoint.close();
}

const command = { server, client }[positionals[0]];
if (command === undefined) {
  console.error("say \"server\" or \"client\"; README.md has the options");
  process.exit(2);
}

command().catch((error) => {
  console.error(error);
  process.exit(1);
});
