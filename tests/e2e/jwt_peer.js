// A WebSocket server that lets in who shows a good JSON Web Token: node's ws, and node-jose (the
// library "jose") to verify. The path names the algorithm; keys come as {"RS256": PEM, …}.
// Prints its port; sends each client what its token says.
"use strict";
const fs = require("fs");
const jose = require("jose");
const { WebSocketServer } = require("ws");
const keys = JSON.parse(fs.readFileSync(process.argv[2]));

async function verify(request) {
  const algorithm = request.url.slice(1);
  const token = request.headers.authorization.replace(/^Bearer /, "");
  const key = algorithm.startsWith("HS") ? Buffer.from(keys[algorithm]) : await jose.importSPKI(keys[algorithm], algorithm);
  return jose.jwtVerify(token, key, { algorithms: [algorithm], issuer: "lsc", audience: "feed", maxTokenAge: "1 minute" });
}

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: 0,
  verifyClient: ({ req }, done) =>
    verify(req).then(
      (verified) => { req.verified = verified; done(true); },
      (error) => done(false, 401, error.code)),
}, () => console.log(server.address().port));
server.on("connection", (socket, request) =>
  socket.send(JSON.stringify({ header: request.verified.protectedHeader, claims: request.verified.payload })));
