// The node side of ws_peers.py: node ws_peer.js serve|connect send_all|take_all [URL]
// Prints {"port":…} as a server, then what the conversation brought.
"use strict";
const { WebSocket, WebSocketServer } = require("ws");
const [mode, talk, url] = process.argv.slice(2);
const deflate = { perMessageDeflate: { threshold: 0 }, maxPayload: 0 };

function sendAll(socket) {
  socket.send("text");
  socket.send(Buffer.from("binary"));
  socket.send("κόσμε \u{1f600}");
  socket.send([...Array(60000).keys()].map((n) => `${n} ä `).join(""));
  socket.send("in ", { fin: false });
  socket.send("", { fin: false });
  socket.send("fragments", { fin: true });
  socket.ping("ping");
  socket.on("pong", () => {
    socket.send("last");
    socket.close(4001, "done");
  });
  socket.on("close", (code) => finish({ code }));
}

function takeAll(socket) {
  const got = [];
  socket.on("message", (data, binary) =>
    got.push(binary ? { binary: data.toString("hex") } : { text: data.toString() }));
  socket.on("close", (code) => finish({ got, code }));
}

function finish(result) {
  console.log(JSON.stringify(result));
}

const start = talk === "send_all" ? sendAll : takeAll;
if (mode === "serve") {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, ...deflate }, () =>
    console.log(JSON.stringify({ port: server.address().port })));
  server.on("connection", start);
} else {
  const socket = new WebSocket(url, deflate);
  if (talk === "take_all") start(socket);
  else socket.on("open", () => start(socket));
}
